using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Mfa.Server.Callers;
using Mfa.Server.Domain;
using Mfa.Server.Store;

namespace Mfa.Server.Commands;

/// <summary>`mfa-server audit list`: the newest rows first.</summary>
internal static class AuditList
{
    private const string AcceptedTime = "give a UTC time such as 2026-01-31T12:00:00Z, or how long ago: 90m, 24h, 7d";

    private static readonly Option<string?> Tenant = new("--tenant") { Description = $"Rows of this tenant. With --account alone: {Principal.DefaultTenant}." };
    private static readonly Option<string?> Account = new("--account") { Description = "Rows of this account." };
    private static readonly Option<string?> Caller = new("--caller") { Description = "Rows of this caller, such as service:NAME, person:NAME or operator:NAME." };
    private static readonly Option<string?> Since = new("--since") { Description = $"Rows from this time on: {AcceptedTime}." };
    private static readonly Option<string?> Until = new("--until") { Description = "Rows before this time." };
    private static readonly Option<string?> Outcome = new("--outcome") { Description = $"Rows that ended so: {string.Join(", ", AuditNames.Outcomes)}." };
    private static readonly Option<int> Limit = new("--limit") { Description = "The newest so many of them.", DefaultValueFactory = _ => 100 };

    static AuditList()
    {
        Since.Accept(text => text is null || TimeOf(text) is not null, AcceptedTime);
        Until.Accept(text => text is null || TimeOf(text) is not null, AcceptedTime);
        Outcome.Accept(name => name is null || AuditNames.OutcomeOf(name) is not null, $"choose from {string.Join(", ", AuditNames.Outcomes)}");
        Limit.Accept(limit => limit is >= 1 and <= 1_000_000, "give 1 to 1,000,000");
    }

    public static Command Create()
    {
        var list = new Command("list", "List what was decided and by whom, the newest first.")
        {
            Tenant, Account, Caller, Since, Until, Outcome, Limit, SharedOptions.Data, SharedOptions.Store, SharedOptions.Output,
        };
        list.SetAction((parsed, _) => RunAsync(parsed));
        return list;
    }

    private static async Task<int> RunAsync(ParseResult parsed)
    {
        var filter = new AuditFilter(
            parsed.GetValue(Tenant),
            parsed.GetValue(Account) is { } account ? new AccountKey(parsed.GetValue(Tenant) ?? Principal.DefaultTenant, account) : null,
            parsed.GetValue(Caller),
            parsed.GetValue(Since) is { } since ? TimeOf(since) : null,
            parsed.GetValue(Until) is { } until ? TimeOf(until) : null,
            parsed.GetValue(Outcome) is { } outcome ? AuditNames.OutcomeOf(outcome) : null);
        using var data = await SharedOptions.OpenAsync(parsed);
        var rows = data.Store.Trail.Find(filter, parsed.GetValue(Limit))
            .ConvertAll(r => new AuditLine(r.Seq, r.Time, AuditNames.Of(r.Act), AuditNames.Of(r.Outcome), AuditNames.Of(r.Reason),
                AuditNames.Of(r.Factor), r.Calls, r.Tenant, r.Account, r.Caller, r.Peer, r.Reference, r.Detail, r.Chain));

        if (parsed.GetValue(SharedOptions.Output) == "json") await Console.Out.WriteLineAsync(JsonSerializer.Serialize(rows, AuditListJson.Default.ListAuditLine));
        else await PrintAsync(rows);
        return ExitCodes.Done;
    }

    private static Task PrintAsync(List<AuditLine> rows) => Table.PrintAsync(
        ["SEQ", "TIME", "ACT", "OUTCOME", "REASON", "FACTOR", "ACCOUNT", "CALLER", "PEER", "CALLS", "DETAIL"],
        rows.Select(r => new[]
        {
            r.Chain > 0 ? $"{r.Chain}:{r.Seq}" : $"{r.Seq}", Table.Time(r.Time), r.Act, r.Outcome, Shown(r.Reason, "none"), Shown(r.Factor, "unspecified"),
            r.Tenant.Length + r.Account.Length > 0 ? $"{r.Tenant}/{r.Account}" : "-", Shown(r.Caller, ""), Shown(r.Peer, ""),
            r.Calls.ToString(CultureInfo.InvariantCulture), Shown(r.Detail, ""),
        }));

    private static string Shown(string text, string nothing) => text == nothing ? "-" : text;

    private static DateTimeOffset? TimeOf(string text)
    {
        if (text.Length > 1 && int.TryParse(text.AsSpan(0, text.Length - 1), NumberStyles.None, null, out var count) && count <= 1_000_000
            && "mhd".IndexOf(text[^1], StringComparison.Ordinal) is >= 0 and var unit)
        {
            return TimeProvider.System.GetUtcNow() - count * new[] { TimeSpan.FromMinutes(1), TimeSpan.FromHours(1), TimeSpan.FromDays(1) }[unit];
        }

        return DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) ? time : null;
    }
}

internal sealed record AuditLine(
    long Seq, DateTimeOffset Time, string Act, string Outcome, string Reason, string Factor, int Calls, string Tenant, string Account,
    string Caller, string Peer, Guid? Reference, string Detail, long Chain);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, WriteIndented = true)]
[JsonSerializable(typeof(List<AuditLine>))]
internal sealed partial class AuditListJson : JsonSerializerContext;
