/** Within a share of what is wanted: 0.01 is 1 %. */
export function isNear(found: number, wanted: number, share = 0.01): boolean {
  return Math.abs(found - wanted) <= share * Math.abs(wanted) + 1e-9;
}
