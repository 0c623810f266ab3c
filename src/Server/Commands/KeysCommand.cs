using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Mfa.Server.Callers;

namespace Mfa.Server.Commands;

/// <summary>`mfa-server keys`: the API keys of calling services. Works beside a running server.</summary>
internal static class KeysCommand
{
    private const int MostDays = 3650;

    private static readonly Option<string?> Expires = new("--expires")
    {
        Description = "When the key stops working, in UTC: after days (90d), with a day (2027-01-31), or at a time (2027-01-31T12:00:00Z).",
    };

    private static readonly Option<string?> Id = new("--id") { Description = "One key of the name, as `keys list` shows it." };

    static KeysCommand()
    {
        Expires.Accept(text => text is null || ExpireTime(text, DateTimeOffset.UnixEpoch) is not null,
            $"give 1d to {MostDays}d, a date such as 2027-01-31, or a time such as 2027-01-31T12:00:00Z");
        Id.Accept(text => text is null || (text.Length == 16 && text.All(char.IsAsciiHexDigit)),
            "give the 16 hex digits that `keys list` shows");
    }

    public static Command Create()
    {
        var create = new Command("create", "Create a key and print it, once. A name may have several keys at a time: they are one caller.")
        {
            SharedOptions.Name, CallerOptions.ScopeList, CallerOptions.Tenant, CallerOptions.DisablePage, Expires, SharedOptions.Data, SharedOptions.Store,
        };
        create.SetAction((parsed, _) => CreateAsync(parsed));
        var list = new Command("list", "List the keys, revoked ones too.") { SharedOptions.Data, SharedOptions.Store, SharedOptions.Output };
        list.SetAction((parsed, _) => ListAsync(parsed));
        var revoke = new Command("revoke", "Revoke all keys of a name, or one; its next call is refused.")
        {
            SharedOptions.Name, Id, SharedOptions.Data, SharedOptions.Store,
        };
        revoke.SetAction((parsed, _) => RevokeAsync(parsed));
        return new Command("keys", "API keys of calling services: create, list, revoke.") { create, list, revoke };
    }

    private static async Task<int> CreateAsync(ParseResult parsed)
    {
        var name = parsed.GetValue(SharedOptions.Name)!;
        var scopes = ScopeNames.Parse(parsed.GetValue(CallerOptions.ScopeList)!) ?? Scopes.None;
        var now = TimeProvider.System.GetUtcNow();
        var expires = parsed.GetValue(Expires) is { } text ? ExpireTime(text, now) : null;
        if (expires <= now) throw new StartRefusedException($"--expires {parsed.GetValue(Expires)} is past. Give a time to come.");

        using var data = await SharedOptions.OpenAsync(parsed);
        var key = await new ApiKeys(data.Store, TimeProvider.System)
            .CreateAsync(name, parsed.GetValue(CallerOptions.Tenant)!, scopes, parsed.GetValue(CallerOptions.DisablePage), expires)
            ?? throw new StartRefusedException($"{name} has a key for another tenant, other scopes or another page, and all keys of a name " +
                $"are one caller. Choose the same or another name, or revoke first: mfa-server keys revoke {name}");
        await Console.Error.WriteLineAsync("This is the only time the key is shown. Keep it where only the service can read it.");
        await Console.Out.WriteLineAsync(key);
        return ExitCodes.Done;
    }

    private static async Task<int> ListAsync(ParseResult parsed)
    {
        using var data = await SharedOptions.OpenAsync(parsed);
        var rows = new ApiKeys(data.Store, TimeProvider.System).List().ConvertAll(
            k => new KeyRow(k.Name, k.Id, k.Tenant, ScopeNames.Print(k.Scopes), k.CreateTime, k.ExpireTime, k.LastUseTime, k.RevokeTime));
        if (parsed.GetValue(SharedOptions.Output) == "json")
        {
            await Console.Out.WriteLineAsync(JsonSerializer.Serialize(rows, KeysJson.Default.ListKeyRow));
            return ExitCodes.Done;
        }

        await Table.PrintAsync(
            ["NAME", "ID", "TENANT", "SCOPES", "CREATED", "EXPIRES", "LAST USE", "REVOKED"],
            rows.Select(r => new[]
            {
                r.Name, r.Id, r.Tenant, r.Scopes, Table.Time(r.CreateTime), TimeOrNone(r.ExpireTime), TimeOrNone(r.LastUseTime),
                TimeOrNone(r.RevokeTime),
            }));
        return ExitCodes.Done;
    }

    private static async Task<int> RevokeAsync(ParseResult parsed)
    {
        var (name, id) = (parsed.GetValue(SharedOptions.Name)!, parsed.GetValue(Id));
        using var data = await SharedOptions.OpenAsync(parsed);
        var revoked = await new ApiKeys(data.Store, TimeProvider.System).RevokeAsync(name, id);
        if (revoked == 0)
            throw new StartRefusedException($"No key named {name}{(id is null ? "" : $" with id {id}")} is in use. See: mfa-server keys list");
        await Console.Error.WriteLineAsync($"Revoked {revoked} of the keys of {name}. The next call is refused.");
        return ExitCodes.Done;
    }

    private static DateTimeOffset? ExpireTime(string text, DateTimeOffset now)
    {
        if (text.EndsWith('d'))
        {
            return int.TryParse(text.AsSpan(0, text.Length - 1), NumberStyles.None, null, out var days) && days is >= 1 and <= MostDays
                ? now.AddDays(days)
                : null;
        }

        string[] forms = ["yyyy-MM-dd", "yyyy-MM-dd'T'HH:mm:ss'Z'"];
        return DateTimeOffset.TryParseExact(text, forms, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) ? time : null;
    }

    private static string TimeOrNone(DateTimeOffset? time) => time is { } known ? Table.Time(known) : "-";
}

internal sealed record KeyRow(
    string Name, string Id, string Tenant, string Scopes, DateTimeOffset CreateTime,
    DateTimeOffset? ExpireTime, DateTimeOffset? LastUseTime, DateTimeOffset? RevokeTime);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, WriteIndented = true)]
[JsonSerializable(typeof(List<KeyRow>))]
internal sealed partial class KeysJson : JsonSerializerContext;
