using System.Buffers.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Mfa.Server.Callers;
using Mfa.Server.Domain;
using Mfa.Server.Flows;

namespace Mfa.Server.Web;

internal sealed record DisableForm(string Username, string Password, string Token)
{
    public override string ToString() => nameof(DisableForm);
}

internal sealed record DisableReply(bool Done, string Text);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(DisableForm))]
[JsonSerializable(typeof(DisableReply))]
internal sealed partial class DisableJson : JsonSerializerContext;

/// <summary>
/// The page that a mailed link opens. It is the same for everybody and changes nothing; only its form does, with the person's
/// password beside the token.
/// </summary>
internal sealed class DisablePage(PasswordGate passwords, ConfirmDisableFlow confirmDisable)
{
    private const int MaxBytes = 4096;

    /// <summary>Nothing from elsewhere, nothing inline, not in a frame, nothing told to the next page.</summary>
    private const string ContentPolicy =
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'";

    public static async Task ShowAsync(HttpContext http, string file, string contentType)
    {
        http.Response.ContentType = contentType;
        http.Response.Headers.ContentSecurityPolicy = ContentPolicy;
        http.Response.Headers["Referrer-Policy"] = "no-referrer";
        http.Response.Headers.XContentTypeOptions = "nosniff";
        http.Response.Headers.CacheControl = "no-store";
        using var resource = typeof(DisablePage).Assembly.GetManifestResourceStream($"web.{file}")!;
        if (!HttpMethods.IsHead(http.Request.Method)) await resource.CopyToAsync(http.Response.Body, http.RequestAborted);
    }

    public async Task ConfirmAsync(HttpContext http)
    {
        var reply = await ReadAsync(http) is { } form
            ? await ConfirmAsync(form, http.RequestAborted)
            : new DisableReply(Done: false, "The form was not filled in properly.");
        http.Response.ContentType = "application/json";
        http.Response.Headers.CacheControl = "no-store";
        await JsonSerializer.SerializeAsync(http.Response.Body, reply, DisableJson.Default.DisableReply, http.RequestAborted);
    }

    private async Task<DisableReply> ConfirmAsync(DisableForm form, CancellationToken ct)
    {
        var token = new byte[ConfirmDisableFlow.TokenBytes];
        if (!Base64Url.IsValid(form.Token, out var length) || length != token.Length || !Base64Url.TryDecodeFromChars(form.Token, token, out _))
            return new DisableReply(Done: false, "This link is not complete. Open it again from the message.");

        switch (await passwords.CheckAsync(form.Username, form.Password, ct))
        {
            case PasswordAnswer.Busy:
                return new DisableReply(Done: false, "Too many people are signing in. Try again in a moment.");
            case PasswordAnswer.Refused:
                return new DisableReply(Done: false, "Name or password not accepted.");
            case PasswordAnswer.Right:
                break;
        }

        var person = Principal.Person(form.Username);
        var call = new ConfirmDisableCall(person, new AccountKey(person.Tenant, person.Name), token, RequestId: null);
        var result = await confirmDisable.RunAsync(call);
        return result.Value is not null
            ? new DisableReply(Done: true, "The second factor is switched off.")
            : new DisableReply(Done: false, "This link was used, has expired, or is not yours. Ask for a new one.");
    }

    private static async Task<DisableForm?> ReadAsync(HttpContext http)
    {
        // JSON alone: a form of another site can be sent with other types, but not with this one.
        if (!http.Request.HasJsonContentType() || http.Request.ContentLength is null or > MaxBytes) return null;
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
