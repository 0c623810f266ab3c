using System.Text;
using Microsoft.IdentityModel.Tokens;

namespace Mfa.Server.Callers;

/// <summary>The keys of an issuer could not be read. The message says why, and holds no address.</summary>
internal sealed class IssuerKeysException(string message) : Exception(message);

/// <summary>
/// Keeps the keys of one issuer, from its file or its address. They are read again in the background, and when a token names a
/// key that is not among them; when that fails, the last good ones serve for a while.
/// </summary>
internal sealed class IssuerKeySource(JwtOptions options, TimeProvider clock)
{
    /// <summary>The least time between two readings for unknown keys: anyone can make those up.</summary>
    public static readonly TimeSpan Gap = TimeSpan.FromSeconds(10);

    private const int MaxBytes = 256 * 1024;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    // Never follows a redirect: it could lead off https. Traces of it would write the address down.
    private readonly HttpClient? _http = options.KeysUrl.Length == 0 ? null : new HttpClient(
        new SocketsHttpHandler
        {
            AllowAutoRedirect = false, ActivityHeadersPropagator = null, PooledConnectionLifetime = TimeSpan.FromMinutes(5),
        })
    {
        Timeout = Patience,
        MaxResponseContentBufferSize = MaxBytes,
    };

    private readonly Lock _gate = new();
    private Task _reading = Task.CompletedTask;
    private DateTimeOffset _lastReading = DateTimeOffset.MinValue;
    private Held? _held;

    public string Issuer => options.Issuer;

    public TimeSpan Period => options.Refresh;

    public async ValueTask<JsonWebKey?> FindAsync(string keyId, string algorithm, CancellationToken ct)
    {
        if (Current?.Find(keyId, algorithm) is { } known) return known;
        try
        {
            await ReadOnceAsync(Gap).WaitAsync(ct);
        }
        catch (IssuerKeysException)
        {
            // The background tries again, and tells the log.
        }

        return Current?.Find(keyId, algorithm);
    }

    /// <exception cref="IssuerKeysException">They cannot be read; those at hand serve on until they are too old.</exception>
    public Task RefreshAsync(CancellationToken ct) => ReadOnceAsync(TimeSpan.Zero).WaitAsync(ct);

    private IssuerKeys? Current => Volatile.Read(ref _held) is { } held && clock.GetUtcNow() - held.Time < options.Keep ? held.Keys : null;

    /// <summary>One reading at a time, for all who wait: none of them can cut it short for the others.</summary>
    private Task ReadOnceAsync(TimeSpan gap)
    {
        lock (_gate)
        {
            if (!_reading.IsCompleted || clock.GetUtcNow() - _lastReading < gap) return _reading;
            var now = _lastReading = clock.GetUtcNow();
            return _reading = Task.Run(() => ReadAsync(now));
        }
    }

    private async Task ReadAsync(DateTimeOffset now)
    {
        var json = _http is null ? await ReadFileAsync() : await DownloadAsync(_http);
        var keys = IssuerKeys.Parse(json) ?? throw new IssuerKeysException("what was read is no JWK Set");
        Volatile.Write(ref _held, new Held(keys, now));
        if (keys.IsEmpty) throw new IssuerKeysException("none of the keys can verify signatures"); // all withdrawn: that is an answer
    }

    private async Task<string> ReadFileAsync()
    {
        try
        {
            if (new FileInfo(options.KeysFile).Length > MaxBytes) throw new IssuerKeysException("the file is too large");
            return await File.ReadAllTextAsync(options.KeysFile);
        }
        catch (Exception broken) when (broken is IOException or UnauthorizedAccessException)
        {
            throw new IssuerKeysException("the file cannot be read");
        }
    }

    private async Task<string> DownloadAsync(HttpClient http)
    {
        try
        {
            using var response = await http.GetAsync(options.KeysUrl);
            if (response.StatusCode != System.Net.HttpStatusCode.OK)
                throw new IssuerKeysException($"the address answers {(int)response.StatusCode}");
            return Encoding.UTF8.GetString(await response.Content.ReadAsByteArrayAsync());
        }
        catch (HttpRequestException broken)
        {
            throw new IssuerKeysException($"the address cannot be reached: {broken.HttpRequestError}");
        }
        catch (OperationCanceledException)
        {
            throw new IssuerKeysException($"the address did not answer within {Patience.TotalSeconds} s");
        }
    }

    private sealed record Held(IssuerKeys Keys, DateTimeOffset Time);
}
