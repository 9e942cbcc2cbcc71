/** Makes a PDF of these pages, a line of ASCII each, in the simplest form that readers take. */
export function makePdf(pages: readonly string[]): Buffer {
  const escape = (text: string): string => text.replaceAll(/[\\()]/g, (mark) => `\\${mark}`);
  const kids = pages.map((_, i) => `${3 + 2 * i} 0 R`).join(' ');
  const objects = [
    '<< /Type /Catalog /Pages 2 0 R >>',
    `<< /Type /Pages /Kids [${kids}] /Count ${pages.length} /MediaBox [0 0 612 792] /Resources << /Font << /F << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >> >>`,
    ...pages.flatMap((text, i) => {
      const stream = `BT /F 12 Tf 72 720 Td (${escape(text)}) Tj ET`;
      return [
        `<< /Type /Page /Parent 2 0 R /Contents ${4 + 2 * i} 0 R >>`,
        `<< /Length ${stream.length} >>\nstream\n${stream}\nendstream`,
      ];
    }),
  ];
  const offsets: number[] = [];
  let file = '%PDF-1.4\n';
  for (const [i, object] of objects.entries()) {
    offsets.push(file.length);
    file += `${i + 1} 0 obj\n${object}\nendobj\n`;
  }
  const rows = offsets.map((offset) => `${String(offset).padStart(10, '0')} 00000 n \n`);
  const table = `xref\n0 ${objects.length + 1}\n0000000000 65535 f \n${rows.join('')}`;
  const trailer = `trailer\n<< /Size ${objects.length + 1} /Root 1 0 R >>\nstartxref\n${file.length}\n%%EOF\n`;
  return Buffer.from(`${file}${table}${trailer}`, 'latin1');
}
