import { useSignal } from "@preact/signals";
import { apiKey, localKey } from "../api/session.ts";
import { go, type Path, path, VIEWS } from "../state/route.ts";
import { chooseTask, taskName, tasks, tasksProblem } from "../state/tasks.ts";
import { THEMES, theme } from "../state/theme.ts";
import { KeyForm } from "./key-form.tsx";

const PATHS = Object.keys(VIEWS) as Path[];

/** Where the user is, and what holds in all views: the task, the key and the colour scheme. */
export function Header() {
  const showsKey = useSignal(false);
  const usesLocalKey = localKey !== "" && apiKey.value === localKey;
  const needsKeyButton = tasksProblem.value !== "needs-key" && (!usesLocalKey || tasksProblem.value !== null);
  const search = taskName.value === "" ? "" : `?${new URLSearchParams({ task: taskName.value })}`;
  const next = THEMES[(THEMES.indexOf(theme.value) + 1) % THEMES.length] ?? "auto";
  return (
    <header>
      <div class="bar">
        <a class="brand" href="/" onClick={follow("/")}>
          xpeft-edge
        </a>
        <nav aria-label="Views">
          {PATHS.map((to) => (
            <a
              key={to}
              href={`${to}${search}`}
              aria-current={path.value === to ? "page" : undefined}
              onClick={follow(to)}
            >
              {VIEWS[to]}
            </a>
          ))}
          <a href="/docs">Docs</a>
          <a href="/api">API</a>
        </nav>
        <div class="settings">
          <label class="inline">
            <span>Task</span>
            <select
              id="task"
              value={taskName.value}
              disabled={!tasks.value?.length}
              onChange={({ currentTarget }) => chooseTask(currentTarget.value)}
            >
              {tasks.value?.map(({ task }) => (
                <option key={task} value={task}>
                  {task}
                </option>
              ))}
            </select>
          </label>
          {needsKeyButton && (
            <button
              type="button"
              class="quiet"
              aria-expanded={showsKey.value}
              aria-controls="key-form"
              onClick={() => {
                showsKey.value = !showsKey.value;
              }}
            >
              {apiKey.value === "" ? "Enter a key" : "Key"}
            </button>
          )}
          <button
            type="button"
            class="quiet"
            aria-label={`Colours: ${theme.value}. Change to ${next}`}
            onClick={() => {
              theme.value = next;
            }}
          >
            {{ auto: "◐", light: "☀", dark: "☾" }[theme.value]}
          </button>
        </div>
      </div>
      {showsKey.value && <KeyForm onDone={() => (showsKey.value = false)} />}
    </header>
  );
}

/** Shows a view in place, unless the user wants it in another tab. */
const follow = (to: Path) => (event: MouseEvent) => {
  if (event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
  event.preventDefault();
  go(to);
};
