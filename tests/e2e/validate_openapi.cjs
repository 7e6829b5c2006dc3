// Validates OpenAPI documents with @apidevtools/swagger-parser: their form by the schemas of the OpenAPI Initiative, and
// that every reference leads somewhere. Arguments are files; ends with 1 when one of them is wrong.
const { readFileSync } = require('node:fs');
const parser = require('@apidevtools/swagger-parser');

(async () => {
  let failed = 0;
  for (const file of process.argv.slice(2)) {
    const document = JSON.parse(readFileSync(file, 'utf8'));
    try {
      await (parser.default ?? parser).validate(document);
    } catch (error) {
      failed = 1;
      const name = Object.keys(document.paths ?? {})[0];
      console.error(`${file} (${name} ...): ${error.message}`, JSON.stringify(error.details ?? '').slice(0, 2000));
    }
  }
  process.exit(failed);
})();
