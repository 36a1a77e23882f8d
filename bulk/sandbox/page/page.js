// The page: the list, the message that was chosen, and what happens meanwhile.

import { reset, watch } from "./api.js";
import * as detail from "./detail.js";
import { find, many } from "./dom.js";
import { List } from "./list.js";
import * as live from "./live.js";

const PAUSE = 500; // milliseconds between two looks at a list that grows

let last = null;
let due = false;

const list = new List(async (number) => {
  await detail.show(number).catch(said);
  document.body.classList.add("reading");
  find("detail").focus({ preventScroll: !isNarrow() });
});

const isNarrow = () => matchMedia("(max-width: 44rem)").matches;

function said(trouble) {
  find("link").textContent = trouble.message;
}

function told(status) {
  live.show(status);
  const shrunk = last !== null && status.Last < last;
  if (shrunk) forget();
  if (status.Last !== last) {
    last = status.Last;
    find("messages-title").textContent = `Messages: ${many(last, "contact")}`;
    soon(shrunk);
  }
}

// The first page follows what comes in, a search only while it shows less than a page.
function soon(always) {
  const full = find("q").value && find("list").children.length >= 50;
  if (due || !(always || (list.isNewest && !full))) return;
  due = true;
  setTimeout(() => {
    due = false;
    list.load().catch(said);
  }, PAUSE);
}

function forget() {
  live.forget();
  detail.clear();
  document.body.classList.remove("reading");
  list.pages = [null];
}

find("reset").addEventListener("click", () => find("sure").showModal());
find("sure").addEventListener("close", () => {
  if (find("sure").returnValue === "yes") reset().then(forget).then(() => list.load()).catch(said);
});
find("back").addEventListener("click", () => {
  document.body.classList.remove("reading");
  (document.querySelector("#list [aria-current]") ?? find("q")).focus();
});
document.addEventListener("keydown", (event) => {
  const writes = event.target.closest("input, select, textarea");
  if (event.key === "/" && !writes && !event.ctrlKey && !event.metaKey) {
    event.preventDefault();
    find("q").focus();
  }
  if (event.key === "Escape" && document.body.classList.contains("reading") && !find("sure").open) find("back").click();
});

watch(told, (open) => said({ message: open ? "Live" : "Not connected: the sandbox has ended, or wants another token" }));
list.load().catch(said);
