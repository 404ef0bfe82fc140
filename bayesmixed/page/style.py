"""How do pages look in a notebook and in a browser? Colours are those of what is around them, light or dark."""

LINES = "var(--jp-border-color2, rgba(128, 128, 128, 0.35))"  # Jupyter's, else a grey that is seen on white and black

PAGE = f"""
.bayesmixed {{ color: var(--jp-content-font-color1, inherit); max-width: 100%; line-height: 1.45; }}
.bayesmixed h3, .bayesmixed h4 {{ margin: 1em 0 0.3em; font-size: 1em; font-weight: 600; overflow-wrap: anywhere; }}
.bayesmixed p, .bayesmixed dl {{ margin: 0.2em 0; overflow-wrap: anywhere; max-width: 75ch; }}
.bayesmixed .lines, .bayesmixed dl {{ margin: 0.4em 0 1em; }}
.bayesmixed dl {{ display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: 0.1em 1em; }}
.bayesmixed dt {{ opacity: 0.75; font-weight: normal; }}
.bayesmixed dt, .bayesmixed dd {{ margin: 0; float: none; width: auto; }} /* Jupyter's own are 20 % wide */
.bayesmixed pre, .bayesmixed .wide {{ overflow-x: auto; max-width: 100%; margin: 0.3em 0 0.6em; }}
.bayesmixed table {{ border-collapse: collapse; border: 0; margin: 0; width: auto; font-size: 0.92em;
  font-variant-numeric: tabular-nums; color: inherit; }}
.bayesmixed caption {{ caption-side: top; text-align: left; font-weight: 600; padding: 0.5em 0 0.25em; color: inherit;
  max-width: min(60ch, 85vw); overflow-wrap: anywhere; }}
.bayesmixed th, .bayesmixed td {{ padding: 0.15em 0.65em; text-align: right; vertical-align: top; white-space: nowrap;
  border: 0; border-bottom: 1px solid {LINES}; }}
.bayesmixed thead th {{ font-weight: 600; vertical-align: bottom; }}
.bayesmixed tbody th {{ font-weight: normal; }}
.bayesmixed th.words, .bayesmixed td.words {{ text-align: left; }}
.bayesmixed th:first-child, .bayesmixed td:first-child {{ padding-left: 0.1em; }}
.bayesmixed .long {{ white-space: normal; min-width: 17em; max-width: 40em; overflow-wrap: anywhere; }}
.bayesmixed a.topic {{ font-size: 0.85em; color: inherit; margin-left: 0.4em; white-space: nowrap; }}
@media (max-width: 40rem) {{ .bayesmixed th, .bayesmixed td {{ padding: 0.15em 0.45em; }} }}
@media print {{ .bayesmixed .wide, .bayesmixed pre {{ overflow: visible; }} }}
"""

# Of a document by itself: it follows the reader's setting, and is printed black on white.
DOCUMENT = """
:root { color-scheme: light dark; --ink: #1b1b1b; --ground: #fff; --faint: #666; --link: #0b57a4; }
@media screen and (prefers-color-scheme: dark) {
  :root { --ink: #e4e4e4; --ground: #16181c; --faint: #a4a8ae; --link: #8ab8f2; }
}
html { -webkit-text-size-adjust: 100%; }
body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--ground); max-width: 62rem;
  margin: 2rem auto; padding: 0 1rem; }
a { color: var(--link); }
"""
