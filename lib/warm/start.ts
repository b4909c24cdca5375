import { proveCells } from './proof';
import { RunningTemplate, type Template, type TemplateOptions } from './template';

/**
 * Starts a template and waits until it has imported everything.
 * @throws SetupError where a step or an import failed, with what Python said, and where a cell of it
 *   does not hold what a cold jail holds
 */
export async function startTemplate(options: TemplateOptions): Promise<Template> {
  const template = new RunningTemplate(options);
  await template.ready;
  const { confinement, mechanisms, runtime, words, env, preload, pythonPath } = options;
  const key = JSON.stringify([confinement, runtime, words, env, preload, pythonPath]);
  try {
    template.checks = await proveCells(template, confinement, mechanisms, key);
  } catch (error) {
    await template.close();
    throw error;
  }
  return template;
}
