"use strict";
// Sorting, filtering and all digits, for tables that are whole without it.
for (const block of document.querySelectorAll("[data-table]")) {
  const table = block.querySelector("table");
  const body = table.tBodies[0];
  const heads = [...table.tHead.rows[0].cells];
  const rows = [...body.rows];
  const tools = block.querySelector(".tools");
  const field = tools.querySelector("input[type=search]");
  const digits = tools.querySelector("input[type=checkbox]");
  const count = tools.querySelector("output");
  const texts = rows.map((row) => row.textContent.toLowerCase());

  const valueOf = (row, place) => {
    const cell = row.cells[place];
    const value = cell.dataset.value;
    return value === undefined ? cell.textContent.trim() : Number(value);
  };
  const compare = (a, b) =>
    typeof a === "number" && typeof b === "number"
      ? a - b
      : String(a).localeCompare(String(b), "en", { numeric: true });

  heads.forEach((head, place) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const known = [], missing = [];
      for (const row of body.rows) {
        (valueOf(row, place) === "" ? missing : known).push(row);
      }
      known.sort((a, b) => compare(valueOf(a, place), valueOf(b, place)));
      if (down) known.reverse();
      body.append(...known, ...missing);
    });
  });

  const filter = () => {
    const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    rows.forEach((row, place) => {
      row.hidden = !words.every((word) => texts[place].includes(word));
      shown += row.hidden ? 0 : 1;
    });
    count.textContent = `${shown} of ${rows.length} rows`;
  };
  field.addEventListener("input", filter);
  filter();

  digits.addEventListener("change", () => {
    for (const cell of table.querySelectorAll("[data-value]")) {
      cell.dataset.text ??= cell.textContent;
      cell.textContent = digits.checked ? cell.dataset.value : cell.dataset.text;
    }
  });
  tools.hidden = false;
}

// A link to numbers that are folded away unfolds them.
const unfold = () => {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  const folded = target && target.closest("details");
  if (folded && !folded.open) {
    folded.open = true;
    target.scrollIntoView();
  }
};
addEventListener("hashchange", unfold);
unfold();
