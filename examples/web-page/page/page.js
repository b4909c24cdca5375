// The page: sends the program, shows its output as it comes, and the verdict. All that a program printed is text.
const element = (id) => document.getElementById(id);
const [form, code, runButton, stopButton] = ['form', 'code', 'run', 'stop'].map(element);
const [output, verdict] = ['output', 'verdict'].map(element);

const seconds = (number) => `${number.toFixed(number < 10 ? 2 : 0)}\u00a0s`;

function show(text, kind) {
  const part = document.createElement('span');
  part.className = kind;
  part.textContent = text;
  const isAtEnd = output.scrollTop + output.clientHeight >= output.scrollHeight - 4;
  output.append(part);
  if (isAtEnd) output.scrollTop = output.scrollHeight;
}

function judge(kind, text) {
  verdict.className = kind;
  verdict.textContent = text;
}

function onEvent(event) {
  if (event.type === 'verdict') {
    const text = `${event.right ? 'Right' : 'Wrong'}: ${event.reason} It took ${seconds(event.seconds)}.`;
    judge(event.right ? 'right' : 'wrong', [text, ...event.hints].join(' '));
  } else {
    show(event.text, event.type);
  }
}

/** The lines of a response, each when it is there. */
async function* linesOf(response) {
  let rest = '';
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const lines = (rest + value).split('\n');
    rest = lines.pop();
    yield* lines;
  }
}

let running;

async function run() {
  running = new AbortController();
  output.replaceChildren();
  judge('', 'It runs …');
  runButton.disabled = true;
  stopButton.disabled = false;
  try {
    const response = await fetch('run', {
      method: 'POST',
      body: code.value,
      signal: running.signal,
    });
    if (!response.ok) return judge('wrong', await response.text());
    for await (const line of linesOf(response)) onEvent(JSON.parse(line));
  } catch {
    judge('wrong', running.signal.aborted ? 'Stopped.' : 'The connection was lost.');
  } finally {
    runButton.disabled = false;
    stopButton.disabled = true;
  }
}

form.addEventListener('submit', (event) => {
  event.preventDefault();
  void run();
});
stopButton.addEventListener('click', () => running.abort());

const task = await (await fetch('task')).json();
element('title').textContent = task.title;
element('task').textContent = task.text;
document.title = task.title;
