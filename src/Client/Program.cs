using System.Runtime.InteropServices;
using Mfa.Client;

// Ctrl-C leaves at once, whatever is being asked or awaited, and so does a polite kill. Nothing needs undoing: an
// enrolment that was started is pending and proves nothing. Leaving by Exit, and not by the signal itself, is what
// makes the runtime put the terminal's echo back.
using var interrupt = LeaveOn(PosixSignal.SIGINT, ExitCode.Interrupted);
using var terminate = LeaveOn(PosixSignal.SIGTERM, ExitCode.Terminated);

return await CommandLine.RunAsync(args, new Terminal());

static PosixSignalRegistration LeaveOn(PosixSignal signal, int exitCode) => PosixSignalRegistration.Create(signal, context =>
{
    context.Cancel = true;
    Console.Error.WriteLine();
    Environment.Exit(exitCode);
});
