using System.CommandLine;
using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Serialization;
using Mfa.Server.Store;

namespace Mfa.Server.Commands;

/// <summary>`mfa-server audit verify`: is the trail whole? Exit code 1 when it is not.</summary>
internal static class AuditVerify
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    private static readonly Option<string?> Checkpoint = new("--checkpoint")
    {
        Description = "A checkpoint from the server's log. Finds also that the whole database was put back to an earlier state.",
    };

    private static readonly Option<long?> After = new("--after") { Description = "Begin behind this row: the damage up to it is known." };

    static AuditVerify()
    {
        Checkpoint.Accept(text => text is null || AuditCheckpoint.Parse(text) is not null, AuditCheckpoint.Accepted);
        After.Accept(seq => seq is null or > 0, "give the number of a row");
    }

    public static Command Create()
    {
        var verify = new Command("verify", "Check that no row was changed, put in, moved or taken out.")
        {
            Checkpoint, After, SharedOptions.Data, SharedOptions.Store, SharedOptions.Output,
        };
        verify.SetAction((parsed, _) => RunAsync(parsed));
        return verify;
    }

    private static async Task<int> RunAsync(ParseResult parsed)
    {
        using var data = await SharedOptions.OpenAsync(parsed);
        var outside = parsed.GetValue(Checkpoint) is { } text ? AuditCheckpoint.Parse(text) : null;
        var begin = Stopwatch.GetTimestamp();
        var report = data.Store.Trail.Verify(parsed.GetValue(After), outside, seq =>
        {
            if (Stopwatch.GetElapsedTime(begin) > Patience) Console.Error.WriteLine($"{seq} rows…");
        });

        if (parsed.GetValue(SharedOptions.Output) == "json") await Console.Out.WriteLineAsync(JsonOf(report));
        else await PrintAsync(report);
        return report.Damage.Count == 0 ? ExitCodes.Done : ExitCodes.Failed;
    }

    private static async Task PrintAsync(AuditReport report)
    {
        foreach (var damage in report.Damage) await Console.Out.WriteLineAsync($"{(damage.Chain > 0 ? $"chain {damage.Chain}, " : "")}row {damage.Seq}: {damage.What}");
        if (report.Damage.Count > 0) return;
        await Console.Out.WriteLineAsync(report.Chains == 1
            ? $"whole: rows {report.First} to {report.Last}, {report.Checkpoints} checkpoints"
            : $"whole: {report.Last} rows in {report.Chains} chains, {report.Checkpoints} checkpoints");
        if (report.Newest is { } newest) await Console.Out.WriteLineAsync($"checkpoint {newest.Text}");
    }

    private static string JsonOf(AuditReport report)
    {
        long? firstBad = report.Damage.Count > 0 ? report.Damage[0].Seq : null;
        var result = new AuditResult(report.Damage.Count == 0, report.First, report.Last, report.Checkpoints, report.Newest?.Text, firstBad, report.Damage);
        return JsonSerializer.Serialize(result, AuditVerifyJson.Default.AuditResult);
    }
}

internal sealed record AuditResult(
    bool Whole, long FirstSeq, long LastSeq, int Checkpoints, string? Checkpoint, long? FirstBadSeq, IReadOnlyList<AuditDamage> Damage);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, WriteIndented = true)]
[JsonSerializable(typeof(AuditResult))]
internal sealed partial class AuditVerifyJson : JsonSerializerContext;
