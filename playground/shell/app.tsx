import { useEffect, useRef } from "preact/hooks";
import { Compare } from "../compare/compare.tsx";
import { ProblemText } from "../parts/problem.tsx";
import { Profiles } from "../profiles/profiles.tsx";
import { path, VIEWS } from "../state/route.ts";
import { task, tasks, tasksProblem } from "../state/tasks.ts";
import { Teach } from "../teach/teach.tsx";
import { Header } from "./header.tsx";
import { KeyForm } from "./key-form.tsx";
import { ServiceBanner } from "./service-banner.tsx";

const VIEW = { "/": Compare, "/teach": Teach, "/profiles": Profiles };

/** What a view needs first: a key where the service asks for one, and a task. */
function NotReady() {
  const problem = tasksProblem.value;
  if (problem === "needs-key") {
    return (
      <section class="card notice">
        <h2>This service asks for a key</h2>
        <KeyForm />
      </section>
    );
  }
  if (problem) return <ProblemText error={problem.error} />;
  if (tasks.value === null) return <p role="status">Listing the tasks…</p>;
  return (
    <section class="card notice">
      <h2>There are no tasks yet</h2>
      <p>
        A task is a list of labels. Learn one from a file of labelled texts:{" "}
        <code>npm run xpeft -- learn-task helpdesk tickets.csv --push</code>. Then reload this page.
      </p>
    </section>
  );
}

/** The app: one view at a time, of one task. */
export function App() {
  const View = VIEW[path.value];
  const shown = useRef(path.value);
  useEffect(() => {
    document.title = `${VIEWS[path.value]} · xpeft-edge`;
    if (shown.current !== path.value) document.getElementById("main")?.focus();
    shown.current = path.value;
  }, [path.value]);
  return (
    <>
      <Header />
      <ServiceBanner />
      <main id="main" tabIndex={-1}>
        {task.value ? <View key={task.value.task} task={task.value} /> : <NotReady />}
      </main>
    </>
  );
}
