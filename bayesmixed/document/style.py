"""How does the page of a fit look, beyond what all pages share?"""

STYLE = """
h1 { font-size: 1.35rem; line-height: 1.3; margin-bottom: 0.2rem; overflow-wrap: anywhere; }
h2 { font-size: 1.15rem; margin: 2.4rem 0 0.6rem; padding-bottom: 0.2rem; overflow-wrap: anywhere;
  border-bottom: 1px solid rgba(128, 128, 128, 0.45); }
h3 { font-size: 1rem; margin: 1.4rem 0 0.3rem; overflow-wrap: anywhere; }
header p, footer { color: var(--faint); margin-top: 0; }
footer { margin-top: 3rem; border-top: 1px solid rgba(128, 128, 128, 0.45); font-size: 0.9rem; }
code { font-size: 0.92em; overflow-wrap: anywhere; }
section > p { max-width: 75ch; overflow-wrap: anywhere; }
nav ol { columns: 15rem; column-gap: 2rem; margin: 1rem 0; padding-left: 1.6rem; }
figure { margin: 0.8rem 0 1.2rem; }
img { max-width: 100%; height: auto; background: #fff; }
@media screen and (prefers-color-scheme: dark) {
  img { filter: invert(0.91) hue-rotate(180deg); }  /* white ground becomes dark, blue stays blue */
}
@media screen and (max-width: 40rem) { body { margin-top: 1rem; } }
@media print {
  body { margin: 0; max-width: none; font-size: 11pt; }
  figure, tr, caption, h2, h3, h4 { break-inside: avoid; }
  h2, h3, h4, caption { break-after: avoid; }
  nav { display: none; }
}
"""
