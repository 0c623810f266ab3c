using System.Globalization;
using Mfa.Torture;
using Mfa.Torture.Checking;
using Mfa.Torture.Faults;
using Mfa.Torture.History;

// torture SERVER [MINUTES] [SEED]: load, faults, verdict. torture check FILE: the verdict on a history that was kept.
// torture timing SERVER: whether a refusal's time tells anything.
if (args is ["check", var file])
{
    var report = new Checker(new Rules()).Check(HistoryFile.Read(file));
    foreach (var line in report.Violations) Console.WriteLine(line);
    Console.WriteLine($"calls={report.Events} accounts={report.Accounts} violations={report.Violations.Count}");
    return report.Violations.Count == 0 ? 0 : 1;
}

if (args is ["timing", var server])
{
    var data = Directory.CreateTempSubdirectory("mfa-timing-").FullName;
    var alike = await Timing.RunAsync(server, data, callsAClass: 20_000, new Chance(1));
    Directory.Delete(data, recursive: true);
    Console.WriteLine(alike ? "No class of guesses takes another time." : "VIOLATION The time of a refusal tells how many digits were right.");
    return alike ? 0 : 1;
}

if (args.Length is < 1 or > 3)
{
    await Console.Error.WriteLineAsync("torture SERVER [MINUTES] [SEED] | torture check FILE | torture timing SERVER");
    return 2;
}

var minutes = args.Length > 1 ? double.Parse(args[1], CultureInfo.InvariantCulture) : 30;
var seed = args is [_, _, { Length: > 0 } given] ? int.Parse(given, CultureInfo.InvariantCulture) : Environment.ProcessId;
var folder = Directory.CreateTempSubdirectory("mfa-torture-").FullName;
Console.WriteLine($"seed={seed} minutes={minutes} folder={folder}");

var torment = new Torment(args[0], folder, seed);
await torment.RunAsync(TimeSpan.FromMinutes(minutes), TimeSpan.FromMinutes(1), IFault.All, Console.WriteLine);
foreach (var violation in torment.Figures.Violations.Take(20)) Console.WriteLine($"VIOLATION {violation}");
Console.WriteLine(torment.Figures);
if (torment.Figures.Violations.Count > 0) return 1;
Directory.Delete(folder, recursive: true);
return 0;
