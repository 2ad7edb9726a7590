/** Tells a text when it is another one than the last: who asks every 100 ms has mostly heard nothing new. */
export function onChange(tell: (text: string) => void): (text: string) => void {
  let told: string | undefined;
  return (text) => {
    if (text === told) return;
    told = text;
    tell(text);
  };
}
