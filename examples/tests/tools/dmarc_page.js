const read = (frame) => {
const page = frame.contentDocument;
const number = (node) => Number(node.textContent);
const totals = (list) => Object.fromEntries(
  [...list.querySelectorAll("dd")].map((node) => [node.dataset.name, number(node)]));
const rows = (section) => [...section.querySelectorAll("table.sources tbody tr")].map((row) => {
  const cells = [...row.cells];
  return [cells[0].firstChild.textContent, ...cells.slice(1, 5).map(number)];
});
const wide = [...page.querySelectorAll("body *")].filter((node) =>
  node.getBoundingClientRect().right > frame.contentWindow.innerWidth + 1 && node.closest("svg") === null);
const found = {
  totals: totals(page.getElementById("totals")),
  bars: [...page.querySelector("svg").querySelectorAll("title")]
    .map((node) => node.textContent).filter((text) => !text.endsWith(": 0 passed, 0 failed")),
  domains: [...page.querySelectorAll("section.domain")].map((section) => ({
    name: section.querySelector("h2").textContent,
    totals: totals(section.querySelector("dl")),
    sources: rows(section),
    why: section.querySelector("table.sources tbody tr")?.innerText.replace(/\s+/g, " "),
    odd: [...section.querySelectorAll("ul.odd li")].map((node) => node.textContent),
    more: section.querySelector("ul.odd + p")?.textContent,
  })),
  unread: [...page.querySelectorAll("#unread li")].map((node) => node.textContent),
  inner_width: frame.contentWindow.innerWidth,
  scroll_width: page.documentElement.scrollWidth,
  widest: wide.map((node) => node.outerHTML.slice(0, 80)),
};
return found;
};
