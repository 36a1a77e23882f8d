// Elements from values. Text is only ever text: nothing of this page reads markup from a string.

export const find = (id) => document.getElementById(id);

export function element(name, settings = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(settings)) {
    if (value === null || value === undefined || value === false) continue;
    if (key === "class") made.className = value;
    else made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null));
  return made;
}

export const clock = (seconds) => new Date(seconds * 1000).toLocaleTimeString();

export const moment = (seconds) => (seconds === null ? "–" : new Date(seconds * 1000).toLocaleString());

export const many = (count, noun) => `${count.toLocaleString()} ${noun}${count === 1 ? "" : "s"}`;
