namespace Mfa.Server.Doctor;

/// <summary>Where the server would listen, and the certificate that it would show there.</summary>
internal static class ListenerCheck
{
    private static readonly TimeSpan Soon = TimeSpan.FromDays(14);

    public static Finding Listeners(Patient patient, Settings settings)
    {
        var where = $"gRPC on {patient.Listen}, pages on {patient.Web}";
        if (patient.Listeners(settings) is not { Tls.Files: var files }) return Finding.Ok($"{where}.");
        var left = files.End - patient.Clock.GetUtcNow();
        var certificate = $"the certificate expires in {left.Days} days";
        return left < Soon
            ? Finding.Warn($"{where}; {certificate}.", "Renew it: put the new files in the place of the old ones, the server takes them by itself.")
            : Finding.Ok($"{where}; {certificate}.");
    }
}
