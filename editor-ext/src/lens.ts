// The command behind the link "Relax". VS Code keeps arguments of a lens's command only while that very lens lives and forgets them when a
// newer one is on its way, though the old one can still be clicked. A command without arguments is run by its name, which stays.
import { type CodeLens, type Disposable, commands } from 'vscode';

/** Gives lenses that have arguments a command of their own that has none; made once for the same arguments. */
export class LensCommands implements Disposable {
  private readonly made = new Map<string, Disposable>();

  /** The lens, with a command that outlives it. */
  lasting(lens: CodeLens): CodeLens {
    const { command } = lens;
    if (!command?.arguments?.length) return lens;
    const name = `${command.command}:${JSON.stringify(command.arguments)}`;
    const { command: target, arguments: given } = command;
    if (!this.made.has(name)) this.made.set(name, commands.registerCommand(name, () => commands.executeCommand(target, ...given)));
    lens.command = { title: command.title, command: name };
    return lens;
  }

  dispose(): void {
    for (const command of this.made.values()) command.dispose();
    this.made.clear();
  }
}
