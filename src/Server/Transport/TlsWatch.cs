using Mfa.Server.Observability;

namespace Mfa.Server.Transport;

/// <summary>
/// Takes renewed files into use. They are compared by content, every few seconds: that sees a file that was rewritten or renamed
/// over, and a link that was turned to another folder, on every file system. What is not right in all its parts, also because
/// only half of it has been written yet, is not taken: the server goes on with what it has.
/// </summary>
internal sealed class TlsWatch(Listeners listeners, TimeProvider clock, ILogger<TlsWatch> log) : BackgroundService
{
    private static readonly TimeSpan Round = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Soon = TimeSpan.FromDays(14);

    private string? _refused;
    private string? _warned;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (listeners.Tls is not { } tls) return;
        Announce(tls.Files);
        using var timer = new PeriodicTimer(Round, clock);
        do
        {
            Renew(tls);
            WarnBeforeTheEnd(tls.Files);
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    private void Renew(TlsTerms tls)
    {
        var now = TlsFiles.DigestNow(tls.Options) ?? "unreadable";
        if (now == tls.Files.Digest || now == _refused) return;
        try
        {
            tls.Files = TlsFiles.Load(tls.Options, clock.GetUtcNow());
            Announce(tls.Files);
            _refused = null;
        }
        catch (StartRefusedException unfit)
        {
            log.CertificateKept(unfit.Message);
            _refused = now;
        }
    }

    private void WarnBeforeTheEnd(TlsFiles files)
    {
        var left = files.End - clock.GetUtcNow();
        var state = left < TimeSpan.Zero ? $"{files.Digest} ended" : left < Soon ? files.Digest : null;
        if (state is null || state == _warned) return;
        if (left < TimeSpan.Zero) log.CertificateExpired(files.End);
        else log.CertificateExpiresSoon(files.End);
        _warned = state;
    }

    private void Announce(TlsFiles files) =>
        log.CertificateServed(files.Shown.TargetCertificate.Subject, files.End);
}
