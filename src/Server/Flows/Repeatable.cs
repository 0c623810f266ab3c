using System.Security.Cryptography;
using System.Text.Json.Serialization.Metadata;
using System.Text.Json;
using Mfa.Server.Callers;
using Mfa.Server.Domain;
using Mfa.Server.Protection;
using Mfa.Server.Store;

namespace Mfa.Server.Flows;

/// <summary>Lets a caller repeat a request: the answer is saved with its effect and comes again for 10 minutes.</summary>
internal sealed class Repeatable(IStore store, StandingKey standingKey)
{
    private static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(10);

    /// <param name="rpc">The rpc, so that the same id and fields sent to another one are another request.</param>
    /// <param name="payload">All that the request says but the account; fields of variable length last.</param>
    /// <param name="final">Tells answers worth repeating from those that ask the flow to try again.</param>
    /// <returns>Null when the caller gave no id.</returns>
    public Remember<Result<T>>? Mark<T>(
        Principal caller, AccountKey account, Guid? requestId, string rpc, byte[] payload, DateTimeOffset now,
        JsonTypeInfo<T> json, Func<T, bool> final) where T : class
    {
        if (requestId is not { } id) return null;
        // The hash is keyed, because a bare one of six digits is as good as the digits.
        byte[] named = [.. System.Text.Encoding.ASCII.GetBytes(rpc), 0, .. payload];
        var hash = standingKey.Hash(StandingPurpose.Requests, named);
        var mark = new RequestMark(account, caller.Id, id, hash, now + Lifetime);
        return new(
            mark,
            result => result.Value is { } answer && final(answer) ? JsonSerializer.SerializeToUtf8Bytes(answer, json) : null,
            before => CryptographicOperations.FixedTimeEquals(before.Payload, hash)
                ? JsonSerializer.Deserialize(before.Answer, json) ?? throw new JsonException("An empty answer.")
                : RefusalKind.RequestIdReused);
    }

    /// <summary>The first answer, if there was one.</summary>
    public async ValueTask<Result<T>?> BeforeAsync<T>(Remember<Result<T>>? remember) =>
        remember is not null && await store.FindAnswerAsync(remember.Mark) is { } before ? remember.Decode(before) : (Result<T>?)null;
}
