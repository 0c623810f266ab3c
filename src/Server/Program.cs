using System.CommandLine;
using Mfa.Server;
using Mfa.Server.Commands;

var root = new RootCommand("MfaGrpc: a second factor for your accounts, over gRPC.")
{
    KeysCommand.Create(),
    UsersCommand.Create(),
};
ServeCommand.AddTo(root);

var parsed = root.Parse(args);
if (parsed.Errors.Count > 0)
{
    foreach (var error in parsed.Errors) await Console.Error.WriteLineAsync($"mfa-server: {error.Message}");
    await Console.Error.WriteLineAsync("Try: mfa-server --help");
    return ExitCodes.Usage;
}

try
{
    return await parsed.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false });
}
catch (StartRefusedException refused)
{
    await Console.Error.WriteLineAsync($"mfa-server: {refused.Message}");
    return ExitCodes.Failed;
}
