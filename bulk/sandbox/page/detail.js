// One contact: what the person would have received, its attributes, the requests as they came.

import { ask } from "./api.js";
import { element, find, many, moment } from "./dom.js";
import { nameOf } from "./list.js";

export async function show(number) {
  const contact = await ask(`/messages/${number}`);
  const received = contact.Received;
  find("detail-title").textContent = `${nameOf(received.Kind)} to ${contact.Destination ?? "nobody yet"}`;
  find("shown").replaceChildren(
    ...message(contact, received),
    ...attributes(contact),
    heading("Contact"),
    facts(contact),
    ...requests(contact),
  );
}

export function clear() {
  find("detail-title").textContent = "No message chosen";
  find("shown").replaceChildren(element("p", {}, "Choose a message in the list to see what the person would have received."));
}

const heading = (text) => element("h3", {}, text);

function message(contact, received) {
  if (received.Kind === "draft") return [element("p", {}, "A draft: its mail has not been sent.")];
  if (contact.Channel === "CHAT") return chat(received);
  if (contact.Channel === "EMAIL") return mail(contact, received);
  return [element("p", {}, "Nothing goes out to a person with this contact.")];
}

function chat(received) {
  const segments = received.Segments ?? [received.Text];
  const bubbles = segments.map((text) => element("span", { class: "bubble" }, text));
  const notes = segments.map((text, index) =>
    element("span", { class: "note" }, segments.length > 1 ? `Segment ${index + 1} of ${segments.length}` : ""));
  const phone = element("div", { class: `phone ${received.Kind}` },
    element("p", { class: "note" }, `From ${received.Sender}`),
    ...bubbles.flatMap((bubble, index) => [bubble, notes[index]]));
  const size = received.Segments
    ? `${many(segments.length, "segment")}, ${received.Encoding}, ${many([...received.Text].length, "character")}`
    : many([...received.Text].length, "character");
  return [phone, element("p", { class: "note" }, size), ...template(received)];
}

function mail(contact, received) {
  const rows = [["From", received.Sender || "the instance’s own address"], ["To", contact.Destination ?? "–"]];
  for (const [name, addresses] of Object.entries(received.Copies)) rows.push([name, addresses.join(", ")]);
  rows.push(["Subject", received.Subject || "–"]);
  const parts = [list(rows)];
  if (contact.HtmlUrl) {
    parts.push(heading("As HTML"));
    parts.push(element("iframe", { sandbox: true, src: contact.HtmlUrl, title: "The mail as HTML", referrerpolicy: "no-referrer" }));
  }
  parts.push(heading("As text"), element("pre", {}, received.Text || "–"));
  return [...parts, ...template(received)];
}

function template(received) {
  if (!received.Template) return [];
  return [heading("Message template"), element("pre", {}, JSON.stringify(received.Template, null, 2))];
}

function attributes(contact) {
  const pairs = Object.entries(contact.Attributes ?? contact.Parameters?.Attributes ?? {});
  if (!pairs.length) return [];
  const rows = pairs.map(([name, value]) =>
    element("tr", {}, element("th", { scope: "row" }, name), element("td", {}, String(value))));
  return [heading("Attributes"), element("table", {}, element("tbody", {}, ...rows))];
}

function facts(contact) {
  return list([
    ["Contact id", contact.ContactId],
    ["Instance", contact.InstanceId],
    ["State", contact.DisconnectReason ? `${contact.State}, ${contact.DisconnectReason}` : contact.State],
    ["Started", moment(contact.StartedAt)],
    ["Ended", moment(contact.EndedAt)],
    ["ClientToken", contact.ClientToken ?? "–"],
  ]);
}

function requests(contact) {
  const given = [[contact.Operation, contact.Parameters], ["StartOutboundEmailContact", contact.Message]];
  return given.filter(([, body]) => body).map(([operation, body]) =>
    element("details", {},
      element("summary", {}, `The request of ${operation}`),
      element("pre", {}, JSON.stringify(body, null, 2))));
}

function list(rows) {
  return element("dl", {}, ...rows.flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, value)]));
}
