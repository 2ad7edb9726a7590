/** The page's whole look. The colours are told apart with any colour vision, on white and on black. */
export const htmlStyle = `
:root {
  color-scheme: light dark;
  --page: #ffffff; --text: #1b1f24; --quiet: #7a828c; --line: #d9dee3; --raised: #f5f7f9;
  --ring: #0060a8; --registry: #b45f00; --broadcast: #00785a; --broadcast-unbatched: #a8418a;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #14171a; --text: #e6e9ec; --quiet: #929ba5; --line: #343a41; --raised: #1d2125;
    --ring: #5cb3f5; --registry: #f0a13a; --broadcast: #3ecfa3; --broadcast-unbatched: #e58fcb;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; padding: 2rem 1.25rem 4rem; max-width: 68rem; background: var(--page); color: var(--text);
  font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif;
}
h1 { margin: 0 0 .25rem; font-size: 1.9rem; line-height: 1.2; }
h2 { margin: 3rem 0 .75rem; padding-top: .75rem; border-top: 1px solid var(--line); font-size: 1.3rem; }
h3 { margin: 1.75rem 0 .5rem; font-size: 1rem; }
p, ul, figcaption { max-width: 46rem; }
.conclusion { margin: 1.25rem 0; padding-left: 1rem; border-left: 4px solid var(--ring); font-size: 1.13rem; }
.conditions { margin: 0; padding: 0; color: var(--quiet); font-size: .88rem; list-style: none; }
.conditions, .warnings { overflow-wrap: anywhere; }
.warnings { padding: .75rem 1rem .75rem 2rem; border-left: 4px solid var(--registry); background: var(--raised); }
.plots { display: grid; gap: 1.5rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 22rem), 1fr)); }
.plots.small { grid-template-columns: repeat(auto-fit, minmax(min(100%, 17rem), 1fr)); }
figure { margin: 0; }
figure h3 { margin-top: 0; }
figcaption { margin-top: .75rem; color: var(--quiet); font-size: .88rem; }
.plot { --plot-background: var(--page); display: block; width: 100%; max-width: 34rem; height: auto; overflow: visible; }
.legend { display: flex; flex-wrap: wrap; gap: .25rem 1.5rem; margin: .5rem 0 1rem; padding: 0; list-style: none; }
.legend li { display: flex; align-items: center; gap: .5rem; font-size: .9rem; }
.scroll { overflow-x: auto; }
table { width: 100%; border-collapse: collapse; font-size: .88rem; font-variant-numeric: tabular-nums; }
th, td { padding: .3rem .6rem; border-bottom: 1px solid var(--line); text-align: right; white-space: nowrap; }
th:first-child { position: sticky; left: 0; background: var(--page); text-align: left; font-weight: 400; }
thead th { border-bottom: 2px solid var(--line); font-weight: 600; }
tbody th[scope="rowgroup"] { padding-top: .9rem; font-weight: 600; }
td small { color: var(--quiet); }
details { margin: 1rem 0; }
summary { cursor: pointer; font-weight: 600; }
@media (max-width: 40rem) {
  body { padding: 1.25rem .9rem 3rem; }
  h1 { font-size: 1.5rem; }
  .conclusion { font-size: 1.02rem; }
}
@media print { .plots { break-inside: avoid; } }
`;
