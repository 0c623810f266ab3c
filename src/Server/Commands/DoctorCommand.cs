using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Serialization;
using Mfa.Server.Doctor;

namespace Mfa.Server.Commands;

/// <summary>`mfa-server doctor`: what is wrong with an installation. Works beside a running server and on a stopped one, and changes nothing.</summary>
internal static class DoctorCommand
{
    /// <summary>After this long a person is told what is being waited for.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    public static Command Create()
    {
        var doctor = new Command("doctor", "Check settings, files, keys, database, clock and providers. Takes the options of serve, and changes nothing.")
        {
            ServeCommand.Dev, SharedOptions.Data, SharedOptions.Store, ServeCommand.Listen, ServeCommand.Web, ServeCommand.Set, SharedOptions.Output,
        };
        doctor.SetAction(RunAsync);
        return doctor;
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken ct)
    {
        var json = parsed.GetValue(SharedOptions.Output) == "json";
        var rows = new List<FindingRow>();
        foreach (var check in Checkup.Of(PatientOf(parsed)))
        {
            var finding = await AnswerAsync(check, ct);
            rows.Add(new FindingRow(check.Name, NameOf(finding.Health), finding.Detail, finding.Remedy));
            if (!json) await Console.Out.WriteLineAsync($"{rows[^1].State,-5} {check.Name,-17} {finding.Detail} {finding.Remedy}".TrimEnd());
        }

        if (json) await Console.Out.WriteLineAsync(JsonSerializer.Serialize(rows, DoctorJson.Default.ListFindingRow));
        return rows.Exists(row => row.State == NameOf(Health.Fail)) ? ExitCodes.Failed : ExitCodes.Done;
    }

    private static Patient PatientOf(ParseResult parsed)
    {
        Settings? settings = null;
        StartRefusedException? refused = null;
        try
        {
            settings = ServeCommand.SettingsOf(parsed);
        }
        catch (StartRefusedException why)
        {
            refused = why;
        }

        return new Patient(
            Path.GetFullPath(parsed.GetValue(SharedOptions.Data)!), settings, refused, parsed.GetValue(ServeCommand.Dev),
            parsed.GetValue(ServeCommand.Listen)!, parsed.GetValue(ServeCommand.Web)!, TimeProvider.System);
    }

    private static async Task<Finding> AnswerAsync(Check check, CancellationToken ct)
    {
        var answer = check.AnswerAsync(ct);
        if (await Task.WhenAny(answer, Task.Delay(Patience, ct)) != answer) await Console.Error.WriteLineAsync($"Looking at: {check.Name} …");
        return await answer;
    }

    private static string NameOf(Health health) => health switch
    {
        Health.Ok => "OK",
        Health.Warn => "WARN",
        Health.Fail => "FAIL",
    };
}

internal sealed record FindingRow(string Name, string State, string Detail, string Remedy);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, WriteIndented = true)]
[JsonSerializable(typeof(List<FindingRow>))]
internal sealed partial class DoctorJson : JsonSerializerContext;
