using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Serialization;
using Mfa.Server.Callers;

namespace Mfa.Server.Commands;

/// <summary>`mfa-server certificates`: which caller a client certificate is. Works beside a running server.</summary>
internal static class CertificatesCommand
{
    private static readonly Option<string[]> Sans = new("--san")
    {
        Description = "A subject alternative name of its certificates: dns:svc.example.org or uri:spiffe://example.org/svc. " +
            "Can be given several times.",
        Required = true,
    };

    private static readonly Option<string?> San = new("--san") { Description = "One name of the caller; without it all are unmapped." };

    private static readonly Argument<string> Fingerprint = new("FINGERPRINT")
    {
        Description = "SHA-256 of the certificate in hex, as `openssl x509 -noout -fingerprint -sha256` prints it.",
    };

    static CertificatesCommand()
    {
        Sans.Accept(names => names.All(name => CertificateNames.Normal(name) is not null), CertificateNames.Accepted);
        San.Accept(name => name is null || CertificateNames.Normal(name) is not null, CertificateNames.Accepted);
        Fingerprint.Validators.Add(result =>
        {
            if (Bytes(result.GetValueOrDefault<string>() ?? "") is null)
                result.AddError("FINGERPRINT: give 64 hex digits, with or without colons.");
        });
    }

    public static Command Create()
    {
        var map = new Command("map", "Let a service call with the certificates that hold these names.")
        {
            SharedOptions.Name, Sans, CallerOptions.ScopeList, CallerOptions.Tenant, CallerOptions.DisablePage, SharedOptions.Data, SharedOptions.Store,
        };
        map.SetAction((parsed, _) => MapAsync(parsed));
        var list = new Command("list", "List the mapped names and the revoked certificates.") { SharedOptions.Data, SharedOptions.Store, SharedOptions.Output };
        list.SetAction((parsed, _) => ListAsync(parsed));
        var unmap = new Command("unmap", "Refuse a service's certificates from the next call on.")
        {
            SharedOptions.Name, San, SharedOptions.Data, SharedOptions.Store,
        };
        unmap.SetAction((parsed, _) => UnmapAsync(parsed));
        var revoke = new Command("revoke", "Refuse one certificate from the next call on, whatever its names.")
        {
            Fingerprint, SharedOptions.Data, SharedOptions.Store,
        };
        revoke.SetAction((parsed, _) => RevokeAsync(parsed));
        return new Command("certificates", "Client certificates of calling services: map, list, unmap, revoke.")
        {
            map, list, unmap, revoke,
        };
    }

    private static async Task<int> MapAsync(ParseResult parsed)
    {
        var name = parsed.GetValue(SharedOptions.Name)!;
        var scopes = ScopeNames.Parse(parsed.GetValue(CallerOptions.ScopeList)!) ?? Scopes.None;
        var caller = ClientCertificates.NewCaller(
            name, parsed.GetValue(CallerOptions.Tenant)!, scopes, parsed.GetValue(CallerOptions.DisablePage));
        var sans = parsed.GetValue(Sans)!.Select(san => CertificateNames.Normal(san)!).Distinct().ToArray();

        using var data = await SharedOptions.OpenAsync(parsed);
        if (!await CertificatesOf(data).MapAsync(caller, sans))
        {
            throw new StartRefusedException($"A name is mapped already, or {name} is mapped with another tenant, other scopes or another page. " +
                "See: mfa-server certificates list");
        }

        await Console.Error.WriteLineAsync($"Certificates with {string.Join(" or ", sans)} call as {name}.");
        return ExitCodes.Done;
    }

    private static async Task<int> ListAsync(ParseResult parsed)
    {
        using var data = await SharedOptions.OpenAsync(parsed);
        var rows = CertificatesOf(data).List().ConvertAll(row => row.Caller is { } caller
            ? new CertificateRow(caller.Name, row.San, caller.Tenant, ScopeNames.Print(caller.Scopes), row.CreateTime, RevokeTime: null)
            : new CertificateRow(Name: null, row.San, Tenant: null, Scopes: null, CreateTime: null, row.CreateTime));
        if (parsed.GetValue(SharedOptions.Output) == "json")
        {
            await Console.Out.WriteLineAsync(JsonSerializer.Serialize(rows, CertificatesJson.Default.ListCertificateRow));
            return ExitCodes.Done;
        }

        await Table.PrintAsync(
            ["NAME", "CERTIFICATE", "TENANT", "SCOPES", "MAPPED", "REVOKED"],
            rows.Select(r => new[]
            {
                r.Name ?? "-", r.Certificate, r.Tenant ?? "-", r.Scopes ?? "-", r.CreateTime is { } c ? Table.Time(c) : "-",
                r.RevokeTime is { } t ? Table.Time(t) : "-",
            }));
        return ExitCodes.Done;
    }

    private static async Task<int> UnmapAsync(ParseResult parsed)
    {
        var name = parsed.GetValue(SharedOptions.Name)!;
        var san = parsed.GetValue(San) is { } text ? CertificateNames.Normal(text) : null;
        using var data = await SharedOptions.OpenAsync(parsed);
        if (await CertificatesOf(data).UnmapAsync(name, san) == 0)
            throw new StartRefusedException($"Nothing like that is mapped to {name}. See: mfa-server certificates list");
        await Console.Error.WriteLineAsync($"Unmapped {name}. The next call is refused.");
        return ExitCodes.Done;
    }

    private static async Task<int> RevokeAsync(ParseResult parsed)
    {
        using var data = await SharedOptions.OpenAsync(parsed);
        if (await CertificatesOf(data).RevokeAsync(Bytes(parsed.GetValue(Fingerprint)!)!) == 0)
            throw new StartRefusedException("That certificate is revoked already. See: mfa-server certificates list");
        await Console.Error.WriteLineAsync("Revoked. The next call with that certificate is refused.");
        return ExitCodes.Done;
    }

    private static ClientCertificates CertificatesOf(DataFolder data) => new(data.Store, TimeProvider.System);

    private static byte[]? Bytes(string fingerprint)
    {
        var hex = fingerprint.Replace(":", "");
        return hex.Length == 64 && hex.All(char.IsAsciiHexDigit) ? Convert.FromHexString(hex) : null;
    }
}

internal sealed record CertificateRow(
    string? Name, string Certificate, string? Tenant, string? Scopes, DateTimeOffset? CreateTime, DateTimeOffset? RevokeTime);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, WriteIndented = true)]
[JsonSerializable(typeof(List<CertificateRow>))]
internal sealed partial class CertificatesJson : JsonSerializerContext;
