export type { Post, Posted, Queue, QueueListener } from './queue.js';
