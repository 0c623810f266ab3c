namespace Mfa.EndToEnd.Processes;

/// <summary>The TLS files of a server, as an operator lays them down and later replaces them.</summary>
internal sealed class TlsFolder(string path)
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    public string this[string name] => Path.Combine(path, name);

    public string Certificate => Path.Combine(path, "server.crt");

    public string Key => Path.Combine(path, "server.key");

    /// <summary>Whom callers must trust to reach the server.</summary>
    public string Authority => Path.Combine(path, "authority.crt");

    public string ClientCa => Path.Combine(path, "clients.crt");

    /// <summary>The settings that make a server take the files that there are.</summary>
    public string[] Settings =>
    [
        .. File.Exists(Certificate) ? new[] { $"tls:certificateFile={Certificate}", $"tls:keyFile={Key}" } : [],
        .. File.Exists(ClientCa) ? new[] { $"tls:clientCaFile={ClientCa}" } : [],
    ];

    /// <summary>Each file appears whole, in the place of the one before.</summary>
    public void Write(Certificates certificates, string? clientCa = null)
    {
        Directory.CreateDirectory(path);
        Replace(Key, certificates.Key);
        Replace(Certificate, certificates.Chain);
        Replace(Authority, certificates.Trusted);
        if (clientCa is not null) Replace(ClientCa, clientCa);
    }

    private static void Replace(string file, string pem)
    {
        File.WriteAllText($"{file}.new", pem);
        File.SetUnixFileMode($"{file}.new", OwnerOnly);
        File.Move($"{file}.new", file, overwrite: true);
    }
}
