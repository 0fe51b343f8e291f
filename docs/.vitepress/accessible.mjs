// Corrects what axe-core finds wrong with components of VitePress's theme.
import { basename } from "node:path";

const SELECTED = `:aria-selected="selectedIndex === index ? 'true' : 'false'"`;
const ITEM = `:id="'localsearch-item-' + index"`;

/** Parts of components, each with what replaces it. */
const CORRECTIONS = {
  // A dialog instead of a button with fields in it; an option is the link itself, and its name is the text that it shows.
  "VPLocalSearchBox.vue": [
    [`role="button"`, `role="dialog" aria-modal="true"`],
    [`:aria-owns="results?.length ? 'localsearch-list' : undefined"`, ""],
    [`aria-expanded="true"`, ""],
    [`aria-haspopup="listbox"`, ""],
    [ITEM, ""],
    [SELECTED, ""],
    [`role="option"`, `role="none"`],
    ["<kbd :aria-label", `<kbd role="img" :aria-label`],
    [`:aria-label="[...p.titles, p.title].join(' > ')"`, `role="option" ${ITEM} ${SELECTED}`],
  ],
  // The button's name lacks the key that it shows, so style.css shows the key.
  "VPNavBarSearchButton.vue": [
    [`<kbd class="DocSearch-Button-Key">K</kbd>`, `<kbd class="DocSearch-Button-Key K"></kbd>`],
  ],
  "NotFound.vue": [
    [`<div class="NotFound">`, `<main class="NotFound">`],
    ["  </div>\n</template>", "  </main>\n</template>"],
    [`:aria-label="theme.notFound?.linkLabel ?? 'go to home'"`, ""],
  ],
};

/** A plugin of Vite that corrects the components. It fails if one of them is not as expected. */
export const accessibleTheme = {
  name: "accessible-theme",
  enforce: "pre",
  transform(code, id) {
    return CORRECTIONS[basename(id)]?.reduce((component, [part, replacement]) => {
      if (!component.includes(part)) throw new Error(`${id} has no ${part}. Update docs/.vitepress/accessible.mjs.`);
      return component.replaceAll(part, replacement);
    }, code);
  },
};
