// Tables of class "sortable" get a button in each heading: once sorts, twice reverses, three times restores the order.
"use strict";
const SCALES = { B: 1, kB: 1e3, MB: 1e6, GB: 1e9, TB: 1e12, ns: 1e-9, "µs": 1e-6, ms: 1e-3, s: 1, min: 60, h: 3600 };
const NUMBER = /^(?:× )?([-+−]?\d+(?:\.\d+)?)(?:×10([⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+))?(?:\s?(TB|GB|MB|kB|B|ns|µs|ms|s|min|h))?(?![\p{L}\d.-])/u;
const plain = (digits) => [...digits].map((one) => (one === "⁻" ? "-" : "⁰¹²³⁴⁵⁶⁷⁸⁹".indexOf(one))).join("");

// What a cell is sorted by: its data-sort, else its text without what is small below it; null where it says nothing.
function value(cell) {
  const large = [...cell.childNodes].filter((node) => node.nodeName !== "SMALL");
  const text = (cell.dataset.sort ?? large.map((node) => node.textContent).join("")).trim();
  if (["", "–", "nan", "None"].includes(text)) return null;
  if ("sort" in cell.dataset && !Number.isNaN(Number(text))) return Number(text);
  const found = NUMBER.exec(text);
  return found ? Number(`${found[1].replace("−", "-")}e${plain(found[2] ?? "⁰")}`) * (SCALES[found[3]] ?? 1) : text;
}

function compare(one, other) {  // numbers before texts, and texts as people order them
  if (typeof one !== typeof other) return typeof one === "number" ? -1 : 1;
  return typeof one === "number" ? one - other : one.localeCompare(other, "en", { numeric: true });
}

for (const table of document.querySelectorAll("table.sortable")) {
  const headings = [...table.tHead.rows[0].cells], body = table.tBodies[0], original = [...body.rows];
  if (table.tBodies.length > 1 || original.some((row) => row.cells.length !== headings.length)) continue;  // some span others
  headings.forEach((heading, column) => {
    const button = Object.assign(document.createElement("button"), { type: "button" });
    button.append(...heading.childNodes);
    heading.append(button);
    button.addEventListener("click", () => {
      const next = { null: "ascending", ascending: "descending" }[heading.getAttribute("aria-sort")];
      const pairs = original.map((row) => [next ? value(row.cells[column]) : null, row]);
      const known = pairs.filter(([key]) => key !== null), rest = pairs.filter(([key]) => key === null);
      known.sort(([one], [other]) => (next === "ascending" ? 1 : -1) * compare(one, other));
      headings.forEach((one) => one.removeAttribute("aria-sort"));
      if (next) heading.setAttribute("aria-sort", next);
      body.append(...[...known, ...rest].map(([, row]) => row));
    });
  });
}
