using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Serialization;
using Mfa.Server.Callers;
using Mfa.Server.Domain;

namespace Mfa.Server.Commands;

/// <summary>`mfa-server keys`: the API keys of calling services. Works beside a running server.</summary>
internal static class KeysCommand
{
    private static readonly Option<string> ScopeList = new("--scopes")
    {
        Description = $"What the key may do, separated by commas: {ScopeNames.Accepted}.",
        Required = true,
    };

    private static readonly Option<string> Tenant = new("--tenant")
    {
        Description = "The tenant whose accounts the key may act on.",
        DefaultValueFactory = _ => Principal.DefaultTenant,
    };

    private static readonly Option<string?> DisablePage = new("--disable-page")
    {
        Description = "The service's own page for mailed links to switch off; the token follows after a #. Without it the mail carries the token alone.",
    };

    static KeysCommand()
    {
        DisablePage.Accept(page => page is null || SettingTable.IsUrl(page), "give an http or https address without a fragment");
        ScopeList.Accept(text => ScopeNames.Parse(text) is not null, $"choose from {ScopeNames.Accepted}, separated by commas");
        Tenant.Accept(AccountKey.IsName, AccountKey.AcceptedName);
    }

    public static Command Create()
    {
        var create = new Command("create", "Create a key and print it, once.")
        {
            SharedOptions.Name, ScopeList, Tenant, DisablePage, SharedOptions.Data,
        };
        create.SetAction((parsed, _) => CreateAsync(parsed));
        var list = new Command("list", "List the keys, revoked ones too.") { SharedOptions.Data, SharedOptions.Output };
        list.SetAction((parsed, _) => ListAsync(parsed));
        var revoke = new Command("revoke", "Revoke a key; its next call is refused.") { SharedOptions.Name, SharedOptions.Data };
        revoke.SetAction((parsed, _) => RevokeAsync(parsed));
        return new Command("keys", "API keys of calling services: create, list, revoke.") { create, list, revoke };
    }

    private static async Task<int> CreateAsync(ParseResult parsed)
    {
        var name = parsed.GetValue(SharedOptions.Name)!;
        var scopes = ScopeNames.Parse(parsed.GetValue(ScopeList)!) ?? Scopes.None;

        using var data = await SharedOptions.OpenAsync(parsed);
        var key = await new ApiKeys(data.Store, TimeProvider.System)
            .CreateAsync(name, parsed.GetValue(Tenant)!, scopes, parsed.GetValue(DisablePage))
            ?? throw new StartRefusedException($"A key named {name} is in use. Choose another name, or revoke it first: mfa-server keys revoke {name}");
        await Console.Error.WriteLineAsync("This is the only time the key is shown. Keep it where only the service can read it.");
        await Console.Out.WriteLineAsync(key);
        return ExitCodes.Done;
    }

    private static async Task<int> ListAsync(ParseResult parsed)
    {
        using var data = await SharedOptions.OpenAsync(parsed);
        var rows = new ApiKeys(data.Store, TimeProvider.System).List()
            .ConvertAll(k => new KeyRow(k.Name, k.Tenant, ScopeNames.Print(k.Scopes), k.CreateTime, k.RevokeTime));
        if (parsed.GetValue(SharedOptions.Output) == "json")
        {
            await Console.Out.WriteLineAsync(JsonSerializer.Serialize(rows, KeysJson.Default.ListKeyRow));
            return ExitCodes.Done;
        }

        await Table.PrintAsync(
            ["NAME", "TENANT", "SCOPES", "CREATED", "REVOKED"],
            rows.Select(r => new[] { r.Name, r.Tenant, r.Scopes, Table.Time(r.CreateTime), r.RevokeTime is { } t ? Table.Time(t) : "-" }));
        return ExitCodes.Done;
    }

    private static async Task<int> RevokeAsync(ParseResult parsed)
    {
        var name = parsed.GetValue(SharedOptions.Name)!;
        using var data = await SharedOptions.OpenAsync(parsed);
        if (!await new ApiKeys(data.Store, TimeProvider.System).RevokeAsync(name))
            throw new StartRefusedException($"No key named {name} is in use. See: mfa-server keys list");
        await Console.Error.WriteLineAsync($"Revoked {name}. Its next call is refused.");
        return ExitCodes.Done;
    }
}

internal sealed record KeyRow(string Name, string Tenant, string Scopes, DateTimeOffset CreateTime, DateTimeOffset? RevokeTime);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, WriteIndented = true)]
[JsonSerializable(typeof(List<KeyRow>))]
internal sealed partial class KeysJson : JsonSerializerContext;
