const read = (frame) => {
const page = frame.contentDocument;
// A tree as lists: the name of each record, and those in it.
const tree = (list) => [...list.children].filter((node) => node.tagName === "LI").map((node) => {
  const below = [...node.children].find((child) => child.tagName === "UL");
  return [node.querySelector(".name").textContent, below === undefined ? [] : tree(below)];
});
const wide = [...page.querySelectorAll("body *")].filter((node) =>
  node.getBoundingClientRect().right > frame.contentWindow.innerWidth + 1);
return {
  totals: Object.fromEntries([...page.querySelectorAll("#totals dd")]
    .map((node) => [node.dataset.name, Number(node.textContent)])),
  overview: [...page.querySelectorAll("table tbody tr")].map((row) => [...row.cells].map((cell) => cell.textContent)),
  domains: [...page.querySelectorAll("section.domain")].map((section) => {
    const first = section.querySelector("ul.tree");
    return {
      name: section.querySelector("h2").textContent,
      tree: first !== null && first.querySelector(".name") !== null ? tree(first) : [],
      defects: [...section.querySelectorAll(".defects > li")].map((node) => node.className),
      sentences: section.querySelectorAll("blockquote").length,
      lookups: section.querySelectorAll(".lookups li").length,
    };
  }),
  scripts: page.querySelectorAll("script").length,
  scroll_width: page.documentElement.scrollWidth,
  widest: wide.map((node) => node.outerHTML.slice(0, 80)),
};
};
