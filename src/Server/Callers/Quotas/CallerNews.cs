using System.Text.Json.Serialization;

namespace Mfa.Server.Callers.Quotas;

/// <summary>
/// What one server has counted of its callers since it last told the others. Servers of other versions read it: new things get new
/// names, and what is missing is nothing (which an init-only property would turn into null).
/// </summary>
internal sealed record CallerNews
{
    public TakenCalls[] Taken { get; set; } = [];

    public FailedCalls[] Failed { get; set; } = [];

    public WrongGuesses[] Wrong { get; set; } = [];

    [JsonIgnore]
    public bool IsEmpty => Taken.Length + Failed.Length + Wrong.Length == 0;
}

/// <summary>Calls and guesses of a caller that were let through.</summary>
internal readonly record struct TakenCalls(CallerKey Caller, long Calls, long Guesses);

/// <summary>Calls from an address without a right credential; a wrong password weighs <see cref="FailedCallers.WrongPassword"/>.</summary>
internal readonly record struct FailedCalls(PeerNetwork Network, long Failures);

/// <summary>Wrong codes from one source.</summary>
/// <param name="Accounts">The digests of the accounts they were for, each once, and not more than a window remembers.</param>
internal readonly record struct WrongGuesses(SpraySource Source, int Wrong, long[] Accounts);

[JsonSourceGenerationOptions(DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, RespectNullableAnnotations = true)]
[JsonSerializable(typeof(CallerNews))]
internal sealed partial class CallerNewsJson : JsonSerializerContext;
