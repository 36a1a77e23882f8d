// Quotas, open contacts and refusals, as they are at the moment.

import { clock, element, find, number } from "./dom.js";

const KEPT = 100;

export function show(status) {
  gauges(status.Operations);
  open(status.Open);
  refusals(status.Refusals);
}

export function forget() {
  find("refusals").replaceChildren();
  calm();
}

function gauges(operations) {
  for (const [name, one] of Object.entries(operations)) {
    const item = itemOf("gauges", name);
    const rate = one.Rate === null ? "no limit" : `${number(one.Rate)}/s, burst ${number(one.Burst)}`;
    item.meter.max = one.Burst;
    item.meter.value = one.Left;
    item.meter.low = one.Burst / 4;
    item.note.textContent = `${rate}; ${number(one.Left)} left; ${number(one.Accepted)} accepted`;
    item.bad.textContent = told(one);
    item.hidden = one.Received === 0;
  }
}

function told(one) {
  const parts = [[one.Throttled, "throttled"], [one.Failed, "refused"], [one.Dropped, "answers lost"]];
  return parts.filter(([count]) => count).map(([count, word]) => `${number(count)} ${word}`).join(", ");
}

function open(kinds) {
  for (const [kind, one] of Object.entries(kinds)) {
    const item = itemOf("open", kind);
    item.meter.max = one.Limit ?? Math.max(1, one.Open);
    item.meter.value = one.Open;
    item.meter.hidden = one.Limit === null;
    item.note.textContent = one.Limit === null ? `${number(one.Open)}, no limit` : `${number(one.Open)} of ${number(one.Limit)}`;
    item.hidden = one.Open === 0 && one.Limit === null;
  }
}

function itemOf(list, name) {
  const id = `${list}-${name}`;
  let item = find(id);
  if (item === null) {
    item = element("li", { id }, element("strong", {}, name), element("meter", { "aria-label": name, min: 0 }),
      element("span", { class: "note" }), " ", element("span", { class: "throttled" }));
    find(list).append(item);
  }
  const [, meter, note, bad] = item.children;
  return Object.assign(item, { meter, note, bad });
}

function refusals(latest) {
  const list = find("refusals");
  for (const one of latest) {
    const whom = one.Destination ? ` to ${one.Destination}` : "";
    list.prepend(element("li", {},
      element("strong", {}, one.Code), ` ${clock(one.At)} ${one.Operation}${whom}: ${one.Message}`));
  }
  while (list.children.length > KEPT) list.lastElementChild.remove();
  calm();
}

function calm() {
  const none = find("refusals").children.length === 0;
  find("refusals").hidden = none;
  find("calm").hidden = !none;
}
