using System.Net;
using System.Text.Json;
using System.Text.Json.Serialization;
using Mfa.Server.Callers;
using Mfa.Server.Callers.Quotas;
using Mfa.Server.Domain;
using Mfa.Server.Flows;

namespace Mfa.Server.Web;

internal sealed record DisableForm(string Username, string Password, string Token)
{
    public override string ToString() => nameof(DisableForm);
}

/// <summary>The page has a sentence for each, in every language it speaks.</summary>
internal enum DisableOutcome
{
    FormRefused = 0,
    LinkBroken,
    LinkRefused,
    PasswordRefused,
    Busy,
    Done,
}

internal sealed record DisableReply(bool Done, DisableOutcome Outcome);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, Converters = [typeof(DisableOutcomeNames)],
    RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(DisableForm))]
[JsonSerializable(typeof(DisableReply))]
internal sealed partial class DisableJson : JsonSerializerContext;

internal sealed class DisableOutcomeNames() : JsonStringEnumConverter<DisableOutcome>(JsonNamingPolicy.CamelCase, allowIntegerValues: false);

/// <summary>
/// The page that a mailed link opens. It is the same for everybody and changes nothing; only its form does, with the person's
/// password beside the token.
/// </summary>
internal sealed class DisablePage(PasswordGate passwords, CallerQuotas quotas, RefusedCallers refused, ConfirmDisableFlow confirmDisable)
{
    private const int MaxBytes = 4096;

    public static async Task ShowAsync(HttpContext http, string file, string contentType)
    {
        http.Response.ContentType = contentType;
        using var resource = typeof(DisablePage).Assembly.GetManifestResourceStream($"web.{file}")!;
        http.Response.ContentLength = resource.Length;
        if (!HttpMethods.IsHead(http.Request.Method)) await resource.CopyToAsync(http.Response.Body, http.RequestAborted);
    }

    public async Task ConfirmAsync(HttpContext http)
    {
        var status = StatusOfForm(http.Request);
        var outcome = DisableOutcome.FormRefused;
        if (status == StatusCodes.Status200OK)
        {
            if (await ReadAsync(http) is { } form) outcome = await ConfirmAsync(form, http.Connection.RemoteIpAddress, http.RequestAborted);
            status = StatusOf(outcome);
        }

        http.Response.StatusCode = status;
        http.Response.ContentType = "application/json";
        var reply = new DisableReply(outcome == DisableOutcome.Done, outcome);
        await JsonSerializer.SerializeAsync(http.Response.Body, reply, DisableJson.Default.DisableReply, http.RequestAborted);
    }

    private static int StatusOfForm(HttpRequest request)
    {
        // JSON alone: a page of another site can send other types by itself, but not this one.
        if (!request.HasJsonContentType()) return StatusCodes.Status415UnsupportedMediaType;
        return request.ContentLength switch
        {
            null => StatusCodes.Status411LengthRequired,
            > MaxBytes => StatusCodes.Status413PayloadTooLarge,
            _ => StatusCodes.Status200OK,
        };
    }

    private static int StatusOf(DisableOutcome outcome) => outcome switch
    {
        DisableOutcome.FormRefused or DisableOutcome.LinkBroken => StatusCodes.Status400BadRequest,
        // Not 401, which would have to name a scheme (RFC 9110 §15.5.2) and makes browsers ask for a password themselves.
        DisableOutcome.PasswordRefused or DisableOutcome.LinkRefused => StatusCodes.Status403Forbidden,
        DisableOutcome.Busy => StatusCodes.Status429TooManyRequests,
        DisableOutcome.Done => StatusCodes.Status200OK,
    };

    private async Task<DisableOutcome> ConfirmAsync(DisableForm form, IPAddress? peer, CancellationToken ct)
    {
        if (DisableToken.Parse(form.Token) is not { } token) return DisableOutcome.LinkBroken;
        var unknown = new AuditCaller("", RefusedCallers.PeerOf(peer));
        var check = await passwords.CheckAsync(form.Username, form.Password, PeerNetwork.Of(peer), ct);
        if (check.Limited is not null) return await RefusedAsync(unknown, "", AuditReason.CallerLimit, DisableOutcome.Busy);
        if (!check.IsRight) return await RefusedAsync(unknown, "", AuditReason.Unauthenticated, DisableOutcome.PasswordRefused);

        var person = Principal.Person(form.Username) with { Peer = peer };
        if ((quotas.TakeCall(person) ?? quotas.TakeGuess(person)) is not null)
            return await RefusedAsync(person.Audited, person.Tenant, AuditReason.CallerLimit, DisableOutcome.Busy);
        var call = new ConfirmDisableCall(person, new AccountKey(person.Tenant, person.Name), token, RequestId: null);
        return (await confirmDisable.RunAsync(call)).Value is null ? DisableOutcome.LinkRefused : DisableOutcome.Done;
    }

    private async Task<DisableOutcome> RefusedAsync(AuditCaller by, string tenant, AuditReason reason, DisableOutcome outcome)
    {
        await refused.RecordAsync(AuditAct.ConfirmDisable, by, tenant, reason);
        return outcome;
    }

    private static async Task<DisableForm?> ReadAsync(HttpContext http)
    {
        try
        {
            return await JsonSerializer.DeserializeAsync(http.Request.Body, DisableJson.Default.DisableForm, http.RequestAborted);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
