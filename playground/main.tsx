// The page: starts what runs as long as it is open, and draws the app over the static beginning of index.html.
import { render } from "preact";
import { App } from "./shell/app.tsx";
import { keepTasks } from "./state/tasks.ts";
import { keepTheme } from "./state/theme.ts";

keepTheme();
keepTasks();
const place = document.getElementById("app");
if (!place) throw new TypeError('The page has no element with the id "app".');
place.replaceChildren();
render(<App />, place);
