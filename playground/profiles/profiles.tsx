import { useSignal, useSignalEffect } from "@preact/signals";
import { useMemo } from "preact/hooks";
import type { Task } from "../api/answers.ts";
import { hasCode, KEY_PROBLEMS } from "../api/request.ts";
import { apiKey } from "../api/session.ts";
import { askAll } from "../compare/agreement.ts";
import { compareState } from "../compare/state.ts";
import { ProblemText } from "../parts/problem.tsx";
import { countOf, numberText, rangeOfBytes } from "../parts/text.ts";
import { WindowedList } from "../parts/windowed-list.tsx";
import { ProfileDetail } from "./detail.tsx";
import { SimilarityMap } from "./map.tsx";
import { readTaskShape, type TaskShape } from "./shape.ts";
import { bytesOfRow, findRows, ORDERS, type Order, profilesState, readRowAgain, readRows } from "./state.ts";
import { readVectors, type Vectors } from "./vectors.ts";

const ROW_HEIGHT = 40;

/** All profiles of a task: a list, a map by similarity, and what each consists of. */
export function Profiles({ task }: { task: Task }) {
  const state = profilesState(task.task);
  const shape = useSignal<TaskShape | null>(null);
  const vectors = useSignal<Vectors | null>(null);
  useSignalEffect(() => {
    apiKey.value;
    const controller = new AbortController();
    const { signal } = controller;
    setTimeout(() => {
      if (signal.aborted) return;
      readRows(task, state, signal);
      readTaskShape(task, signal)
        .then((read) => (shape.value = read))
        .catch((error: unknown) => {
          if (!signal.aborted) state.problem.value = error;
        });
    });
    return () => controller.abort();
  });
  useSignalEffect(() => {
    apiKey.value;
    const compared = compareState(task.task);
    const text = compared.text.value;
    const known = compared.agreement.peek();
    if (text.trim() === "" || (known?.text === text && !known.isPartial)) return;
    const controller = new AbortController();
    setTimeout(() => controller.signal.aborted || askAll(task, text, compared, controller.signal));
    return () => controller.abort();
  });
  useSignalEffect(() => {
    const [rows, known] = [state.rows.value, shape.value];
    if (!state.isComplete.value || !known) return;
    const controller = new AbortController();
    readVectors(rows, task, known.masks, controller.signal)
      .then((read) => (vectors.value = read))
      .catch((error: unknown) => {
        if (!controller.signal.aborted) state.problem.value = error;
      });
    return () => controller.abort();
  });
  const [all, problem] = [state.rows.value, state.problem.value];
  const [search, order] = [state.search.value, state.order.value];
  const rows = useMemo(() => findRows(all, search, order), [all, search, order]);
  const place = rows.findIndex(({ profile }) => profile === state.chosen.value);
  const chosen = all.find(({ profile }) => profile === state.chosen.value);
  if (problem !== null && hasCode(problem, KEY_PROBLEMS) && all.length === 0) {
    return (
      <section class="card notice">
        <h1>Profiles</h1>
        <ProblemText error={problem} />
      </section>
    );
  }
  return (
    <div class="profiles">
      <section class="hero" aria-labelledby="title">
        <h1 id="title">What a person adds</h1>
        <p class="lead">
          A profile is a row of {rangeOfBytes(all.map(bytesOfRow))}. It says how often the person gives each label,
          which adapters of the shared pool it averages, or how it changes the task's head. The map shows profiles that
          store similar things near each other.
        </p>
      </section>
      {problem !== null && <ProblemText error={problem} />}
      <div class="columns">
        <section aria-labelledby="list-title" class="card">
          <h2 id="list-title">{countOf(all.length, "profile")}</h2>
          <div class="row">
            <label class="inline">
              <span>Search</span>
              <input
                id="search"
                type="search"
                autocomplete="off"
                value={search}
                onInput={({ currentTarget }) => {
                  state.search.value = currentTarget.value;
                }}
              />
            </label>
            <label class="inline">
              <span>Order</span>
              <select
                id="order"
                value={order}
                onChange={({ currentTarget }) => {
                  state.order.value = currentTarget.value as Order;
                }}
              >
                {Object.entries(ORDERS).map(([value, { name }]) => (
                  <option key={value} value={value}>
                    {name}
                  </option>
                ))}
              </select>
            </label>
          </div>
          <p id="list-status" class="help" role="status">
            {state.isComplete.value ? "" : "Reading the profiles… "}
            {search !== "" && `${numberText(rows.length)} found.`}
            {state.isComplete.value && all.length === 0 && "The task has no profiles yet."}
          </p>
          <WindowedList
            id="profile-list"
            label="Profiles"
            items={rows}
            rowHeight={ROW_HEIGHT}
            chosen={place}
            onChoose={(index) => {
              state.chosen.value = rows[index]?.profile ?? null;
            }}
            keyOf={({ profile }) => profile}
          >
            {(row) => (
              <>
                <span>{row.profile}</span>
                <span class="number">{countOf(bytesOfRow(row), "byte")}</span>
              </>
            )}
          </WindowedList>
        </section>
        {vectors.value && vectors.value.rows.length === all.length && all.length > 2 && (
          <SimilarityMap task={task} rows={all} vectors={vectors.value} chosen={state.chosen} />
        )}
      </div>
      {chosen && shape.value && (
        <ProfileDetail
          key={chosen.profile}
          task={task}
          row={chosen}
          shape={shape.value}
          vectors={vectors.value}
          onChoose={(id) => {
            state.chosen.value = id;
          }}
          onWritten={() => readRowAgain(task, state, chosen.profile)}
        />
      )}
    </div>
  );
}
