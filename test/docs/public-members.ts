// What an editor shows of the package's functions, classes and methods, as the compiler finds them.
import { join } from 'node:path';
import ts from 'typescript';
import { ROOT } from './project';

/** One of them, with its doc comment. */
export interface PublicMember {
  /** `createJail`, `Jail`, `Jail.close` */
  readonly name: string;
  readonly text: string;
  readonly tags: readonly string[];
}

/** What a caller writes, for the package to call. */
const GIVEN_BY_CALLERS = ['StructuredLogger', 'Watched'];

function methodsOf(declaration: ts.Declaration): ts.NamedDeclaration[] {
  if (!ts.isClassDeclaration(declaration) && !ts.isInterfaceDeclaration(declaration)) {
    return [];
  }
  const members: readonly ts.NamedDeclaration[] = declaration.members;
  return members.filter(
    (member) =>
      (ts.isMethodDeclaration(member) || ts.isMethodSignature(member)) &&
      // Neither `#private` nor what a language's own words call.
      ts.isIdentifier(member.name) &&
      member.name.text !== 'toString',
  );
}

/**
 * All that these files of lib/ export.
 * @param entries without `.ts`
 */
export function publicMembers(entries: readonly string[]): PublicMember[] {
  const { config } = ts.readConfigFile(join(ROOT, 'tsconfig.build.json'), (path) =>
    ts.sys.readFile(path),
  ) as { config: unknown };
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, ROOT);
  const files = entries.map((entry) => join(ROOT, 'lib', `${entry}.ts`));
  const program = ts.createProgram(files, options);
  const checker = program.getTypeChecker();

  const described = (symbol: ts.Symbol, name: string): PublicMember => ({
    name,
    text: ts.displayPartsToString(symbol.getDocumentationComment(checker)),
    tags: symbol.getJsDocTags(checker).map((tag) => tag.name),
  });
  const membersOf = (symbol: ts.Symbol): PublicMember[] =>
    (symbol.declarations ?? []).flatMap((declaration) => {
      const isOwn = ts.isFunctionDeclaration(declaration) || ts.isClassDeclaration(declaration);
      const methods = GIVEN_BY_CALLERS.includes(symbol.name) ? [] : methodsOf(declaration);
      return [
        ...(isOwn ? [described(symbol, symbol.name)] : []),
        ...methods.flatMap(({ name }) => {
          const method = name === undefined ? undefined : checker.getSymbolAtLocation(name);
          return method === undefined ? [] : [described(method, `${symbol.name}.${method.name}`)];
        }),
      ];
    });

  const exported = files.flatMap((file) => {
    const source = program.getSourceFile(file);
    const module = source === undefined ? undefined : checker.getSymbolAtLocation(source);
    return module === undefined ? [] : checker.getExportsOfModule(module);
  });
  const symbols = exported.map((symbol) =>
    (symbol.flags & ts.SymbolFlags.Alias) === 0 ? symbol : checker.getAliasedSymbol(symbol),
  );
  return [...new Set(symbols)].flatMap(membersOf).filter(({ tags }) => !tags.includes('internal'));
}
