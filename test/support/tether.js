// Runs in the child in front of the service. Its stdin is a pipe from whoever started it, which closes with that process,
// however it ends, and then the child ends too.
process.stdin
  .on('close', () => process.kill(process.pid, 'SIGKILL'))
  .on('error', () => {})
  .resume()
  .unref();
