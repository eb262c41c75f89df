// A person's own machine: a home directory, a shell, and a terminal.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";

const patience = 60_000;

// What a program prints to move the cursor and to change colours.
const movements = /\x1b(\[[0-9;?]*[A-Za-z]|[()][A-Z0-9]|[=>])|\r|\x07/g;

// Machine has nothing of AWS on it but the AWS CLI. That of Debian is too old
// to know endpoint variables, and finds a node by a directory of its data.
export class Machine {
  constructor(site) {
    this.home = fs.mkdtempSync(path.join(os.tmpdir(), "atrium-machine-"));
    const { AWS_PROFILE, ...env } = process.env;
    for (const name of Object.keys(env)) if (name.startsWith("AWS_")) delete env[name];
    this.env = { ...env, HOME: this.home, PATH: `/usr/bin:/bin:${env.PATH}`, AWS_DATA_PATH: path.join(site.dir, "aws"), AWS_PAGER: "" };
  }

  // bash runs commands, and returns what they print.
  bash(commands) {
    const done = spawnSync("bash", ["-e"], { input: commands, env: this.env, cwd: this.home, encoding: "utf8", timeout: patience });
    assert.equal(done.status, 0, `${commands}\n${done.stdout}${done.stderr}`);
    return done.stdout.trim();
  }

  write(file, text) {
    const to = path.join(this.home, file);
    fs.mkdirSync(path.dirname(to), { recursive: true });
    fs.writeFileSync(to, text);
  }

  terminal(command) { return new Terminal(this, command); }

  remove() { fs.rmSync(this.home, { recursive: true, force: true }); }
}

// Terminal is a command at a terminal, made by script(1).
class Terminal {
  printed = "";

  constructor(machine, command) {
    this.process = spawn("script", ["-qefc", `stty cols 200 rows 50; ${command}`, "/dev/null"], {
      env: { ...machine.env, TERM: "xterm", PROMPT_TOOLKIT_NO_CPR: "1" }, cwd: machine.home, stdio: ["pipe", "pipe", "inherit"],
    });
    this.process.stdout.on("data", (chunk) => { this.printed += String(chunk).replace(movements, ""); });
    this.ended = new Promise((resolve) => this.process.once("exit", resolve));
  }

  // expect waits for what comes after all that was expected before.
  async expect(pattern) {
    for (const late = Date.now() + patience; Date.now() < late; await new Promise((r) => setTimeout(r, 50))) {
      const found = this.printed.match(pattern);
      if (!found) continue;
      this.printed = this.printed.slice(found.index + found[0].length);
      return found;
    }
    this.process.kill();
    return assert.fail(`the terminal does not show ${pattern}, but\n${this.printed}`);
  }

  async answer(question, text) {
    await this.expect(new RegExp(question.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")));
    this.process.stdin.write(`${text}\r`);
  }

  async end() {
    assert.equal(await this.ended, 0, this.printed);
  }
}
