"use strict";
(() => {
  const status = document.querySelector(".announcement");

  function key(row, column) {
    const cell = row.cells[column];
    const value = cell.dataset.value;
    return value === undefined ? (cell.classList.contains("number") ? null : cell.textContent.trim()) : Number(value);
  }

  function compare(one, other, column, sign) {
    const [left, right] = [key(one, column), key(other, column)];
    if (left === null || right === null) return (left === null) - (right === null);
    return sign * (typeof left === "number" && typeof right === "number" ? left - right : String(left).localeCompare(String(right), "en"));
  }

  function sortBy(table, column, header, button) {
    const isNumber = header.classList.contains("number");
    const before = header.getAttribute("aria-sort");
    const order = before === null ? (isNumber ? "descending" : "ascending") : before === "ascending" ? "descending" : "ascending";
    for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
    header.setAttribute("aria-sort", order);
    const body = table.tBodies[0];
    const rows = Array.from(body.rows);
    rows.sort((one, other) => compare(one, other, column, order === "ascending" ? 1 : -1));
    body.append(...rows);
    status.textContent = `${table.dataset.title}: sorted by ${button.textContent.trim()}, ${order}`;
  }

  for (const table of document.querySelectorAll("table.sortable")) {
    Array.from(table.tHead.rows[0].cells).forEach((header, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...header.childNodes);
      header.append(button);
      button.addEventListener("click", () => sortBy(table, column, header, button));
    });
  }

  let opened = [];
  addEventListener("beforeprint", () => {
    opened = Array.from(document.querySelectorAll("details:not([open])"));
    for (const one of opened) one.open = true;
  });
  addEventListener("afterprint", () => {
    for (const one of opened) one.open = false;
    opened = [];
  });
  addEventListener("hashchange", () => {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    const holder = target && target.closest("details");
    if (holder) holder.open = true;
  });
})();
