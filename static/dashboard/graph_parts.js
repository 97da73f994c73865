// Parts of the page that the server renders, the table and the panel: a newer request replaces one under way.
/* global htmx */

const pending = new Map();

// Fills an element with what the address answers to htmx; false when a newer request came first, or there was no answer.
export async function fill(place, address) {
  pending.get(place)?.abort();
  const own = new AbortController();
  pending.set(place, own);
  try {
    const headers = { "HX-Request": "true", "HX-Target": place.id };
    const answer = await fetch(address, { headers, signal: own.signal });
    const text = await answer.text();
    if (pending.get(place) !== own) return false;
    place.innerHTML = text; // our own templates, which escape what is stored
    htmx.process(place);
    return true;
  } catch (error) {
    if (error.name !== "AbortError") place.textContent = "This part could not be loaded: reload the page.";
    return false;
  }
}

// Forgets what was asked for an element, and empties it.
export function clear(place) {
  pending.get(place)?.abort();
  pending.delete(place);
  place.replaceChildren();
}
