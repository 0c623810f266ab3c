using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;

namespace Mfa.EndToEnd.Processes;

/// <summary>A port for a program that must be told one before it starts.</summary>
internal static class FreePort
{
    /// <summary>Below the ports that outgoing connections take: none of those gets it before the server does.</summary>
    public static int Next()
    {
        while (true)
        {
            var port = RandomNumberGenerator.GetInt32(10_000, 30_000);
            using var probe = new TcpListener(IPAddress.Loopback, port);
            try
            {
                probe.Start();
                return port;
            }
            catch (SocketException)
            {
                // Taken: another one.
            }
        }
    }
}
