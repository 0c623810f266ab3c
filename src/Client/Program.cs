using System.Runtime.InteropServices;
using Mfa.Client;

// Ctrl-C leaves at once, whatever is being asked or awaited. Nothing needs undoing: an enrolment that was started is
// pending and proves nothing. The runtime puts the terminal's echo back on its way out.
using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, signal =>
{
    signal.Cancel = true;
    Console.Error.WriteLine();
    Environment.Exit(ExitCode.Interrupted);
});

return await CommandLine.RunAsync(args, new Terminal());
