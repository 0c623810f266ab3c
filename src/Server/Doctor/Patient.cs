using Mfa.Server.Transport;

namespace Mfa.Server.Doctor;

/// <summary>What a server would be started with.</summary>
/// <param name="Settings">Null when they are not understood; <paramref name="Refused"/> says why.</param>
internal sealed record Patient(string Folder, Settings? Settings, StartRefusedException? Refused, bool Dev, string Listen, string Web, TimeProvider Clock)
{
    public string Ring => Path.Combine(Folder, "keys.json");

    public string Database => Path.Combine(Folder, "mfa.db");

    /// <exception cref="StartRefusedException">An address cannot be served, or TLS is not configured as it must be.</exception>
    public Listeners Listeners(Settings settings)
    {
        var listeners = Transport.Listeners.Open(
            ListenAddress.Parse("--listen", Listen), ListenAddress.Parse("--web", Web), settings.Tls, Folder, Clock.GetUtcNow());
        if (Dev) listeners.RefuseDevelopmentBeyondLoopback();
        return listeners;
    }
}
