#include "planner/report_style.h"

namespace ridgeline {

// No text is smaller than 12 pixels; pictures are made for two widths, and the one that fits is shown.
std::string_view report_style() {
  return R"(
:root{color-scheme:light dark;--ink:#1b2733;--faint:#56636f;--paper:#fff;--line:#d8dee4;--soft:#f3f6f9;--link:#0063a0}
*{box-sizing:border-box}
body{margin:0 auto;padding:1rem 1rem 3rem;max-width:960px;background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;-webkit-text-size-adjust:100%}
h1{font-size:1.6rem;line-height:1.2;margin:.5rem 0 .25rem;overflow-wrap:anywhere}
h2{font-size:1.25rem;margin:2.5rem 0 .5rem}
header p,.remark,caption{color:var(--faint)}
p,dd,li{overflow-wrap:anywhere}
dl{margin:0;border-top:1px solid var(--line)}
dt{font-weight:650;padding-top:.6rem}
dd{margin:0;padding-bottom:.35rem}
nav ul{list-style:none;display:flex;flex-wrap:wrap;gap:.4rem;padding:0;margin:1.25rem 0 0}
nav a{display:block;padding:.3rem .7rem;border:1px solid var(--line);border-radius:1rem;color:var(--link);text-decoration:none;font-size:.875rem}
nav a:hover,nav a:focus-visible{text-decoration:underline;background:var(--soft)}
figure{margin:.75rem 0 0;border:1px solid var(--line);border-radius:8px;padding:.25rem;overflow:hidden}
figure svg{display:block;width:100%;height:auto;margin:0 auto}
.narrow{display:none}
.scroll{overflow-x:auto;margin:1rem 0 1.5rem;border-bottom:1px solid var(--line)}
table{border-collapse:collapse;font-size:.8125rem;font-variant-numeric:tabular-nums;min-width:100%}
caption{text-align:left;padding:0 0 .35rem;font-size:.875rem}
th,td{padding:.25rem .5rem;text-align:right;vertical-align:top;white-space:nowrap;border-top:1px solid var(--line)}
th:first-child,td:first-child{padding-left:0}
th.left,td.left{text-align:left}
tbody th{font-weight:400}
thead th{font-weight:650;border-top:0;vertical-align:bottom}
thead td{border-top:0}
td.left:last-child{white-space:normal;min-width:7rem}
#step tbody th,#formulas td.left,code{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"Liberation Mono",monospace;font-size:.75rem}
#step tbody th{white-space:normal;min-width:10rem}
.sum th,.sum td{font-weight:650;border-top:2px solid var(--line)}
footer{margin-top:3rem;border-top:1px solid var(--line);color:var(--faint);font-size:.875rem;overflow-wrap:anywhere}
code{font-size:.8125rem;background:var(--soft);padding:.1rem .3rem;border-radius:4px}
@media (min-width:720px){dl{display:grid;grid-template-columns:8rem 1fr}dt{grid-column:1;padding-top:.35rem}dd{grid-column:2;padding-top:.35rem;padding-bottom:0}}
@media screen and (max-width:719px){.wide{display:none}.narrow{display:block}figure svg{max-width:460px}}
@media screen and (prefers-color-scheme:dark){:root{--ink:#e6ebf0;--faint:#a3b0bc;--paper:#12171d;--line:#2c3641;--soft:#1b232c;--link:#7cc4f5}}
@page{margin:14mm}
@media print{:root{color-scheme:light}body{max-width:none;padding:0;font-size:10pt}nav{display:none}figure,tr{break-inside:avoid}h2,caption{break-after:avoid}section{break-inside:auto}.scroll{overflow:visible}table{font-size:7.5pt}#step tbody th,#formulas td.left,code{font-size:7pt}th,td{padding:.15rem .3rem}th.left,td.left{white-space:normal}#step tbody th{min-width:5.5cm}td.left:last-child{min-width:0}section>p{break-after:avoid}figure svg{max-height:10.5cm}#throughput svg{max-height:13.5cm}}
)";
}

}  // namespace ridgeline
