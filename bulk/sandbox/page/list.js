// The list: a page of it at a time, newest first; the first page follows what comes in.

import { ask } from "./api.js";
import { clock, element, find, many } from "./dom.js";

const SIZE = 50;
const NAMES = { sms: "SMS", whatsapp: "WhatsApp", email: "email", "inbound-email": "inbound email" };

export const nameOf = (kind) => NAMES[kind] ?? kind;

export class List {
  constructor(chosen) {
    this.chosen = chosen;
    this.pages = [null]; // for each page that was turned to: the number before which it begins
    this.next = null;
    this.current = null;
    this.asked = 0;
    find("older").addEventListener("click", () => this.turn([...this.pages, this.next]));
    find("newer").addEventListener("click", () => this.turn(this.pages.slice(0, -1)));
    find("list").addEventListener("click", (event) => this.choose(event.target.closest("button")));
    for (const id of ["list", "q"]) find(id).addEventListener("keydown", (event) => this.walk(event));
    find("filters").addEventListener("input", () => this.search());
    find("filters").addEventListener("submit", (event) => event.preventDefault());
  }

  search() {
    clearTimeout(this.typing);
    this.typing = setTimeout(() => this.turn([null]), 200);
  }

  async turn(pages) {
    this.pages = pages;
    await this.load();
  }

  // Loads the page; what was asked before, and is answered later, is left.
  async load() {
    const asked = ++this.asked;
    find("count").textContent = find("q").value ? "Searching …" : find("count").textContent;
    const rows = [];
    let before = this.pages.at(-1);
    do {
      const found = await ask(`/messages?${this.query(before, SIZE - rows.length)}`);
      if (asked !== this.asked) return;
      rows.push(...found.Messages);
      before = found.Next;
    } while (before !== null && rows.length < SIZE);
    this.next = before;
    this.show(rows);
  }

  query(before, limit) {
    const given = { limit, q: find("q").value.trim(), kind: find("kind").value, state: find("state").value };
    if (before !== null) given.before = before;
    return new URLSearchParams(Object.entries(given).filter(([, value]) => value !== ""));
  }

  // Puts the rows in place; a row that stays is not moved, so that focus stays in it.
  show(rows) {
    const list = find("list");
    const known = new Map([...list.children].map((item) => [Number(item.dataset.seq), item]));
    let place = list.firstElementChild;
    for (const row of rows) {
      const item = known.get(row.Seq) ?? this.item(row);
      known.delete(row.Seq);
      this.fill(item, row);
      if (item === place) place = place.nextElementSibling;
      else list.insertBefore(item, place);
    }
    for (const item of known.values()) item.remove();
    find("older").disabled = this.next === null;
    find("newer").disabled = this.pages.length === 1;
    find("count").textContent = rows.length ? `Page ${this.pages.length}, ${many(rows.length, "message")}` : "No message";
  }

  item(row) {
    const parts = ["to", "meta", "preview", "meta kind"].map((name) => element("span", { class: name }));
    const button = element("button", { type: "button" }, ...parts);
    const item = element("li", { class: "fresh" }, button);
    item.dataset.seq = row.Seq;
    return item;
  }

  fill(item, row) {
    const button = item.firstElementChild;
    const texts = [row.Destination ?? "nobody yet", clock(row.StartedAt), row.Preview || "–", `${nameOf(row.Kind)}, ${row.State}`];
    texts.forEach((text, index) => {
      if (button.children[index].textContent !== text) button.children[index].textContent = text;
    });
    button.toggleAttribute("aria-current", row.Seq === this.current);
  }

  choose(button) {
    if (button === null) return;
    for (const other of find("list").querySelectorAll("[aria-current]")) other.removeAttribute("aria-current");
    button.setAttribute("aria-current", "true");
    this.current = Number(button.parentElement.dataset.seq);
    this.chosen(this.current);
  }

  // Up and down go through the list, from the search field into it and back.
  walk(event) {
    const here = event.target.closest("li"), first = find("list").firstElementChild;
    const steps = {
      ArrowDown: () => (here ? here.nextElementSibling : first)?.firstElementChild,
      ArrowUp: () => (here?.previousElementSibling?.firstElementChild ?? (here ? find("q") : null)),
    };
    const next = steps[event.key]?.();
    if (!next) return;
    event.preventDefault();
    next.focus();
  }

  get isNewest() {
    return this.pages.length === 1;
  }
}
