using System.Text.Json;
using Grpc.Core;
using Grpc.Net.Client.Configuration;
using Mfa.EndToEnd.Processes;

namespace Mfa.EndToEnd.Calls;

/// <summary>docs/clients/retry.json: when and how often clients are told to repeat a call.</summary>
internal static class ShippedRetries
{
    public static readonly JsonElement File =
        JsonDocument.Parse(System.IO.File.ReadAllText(Path.Combine(ServerProgram.Repository, "docs/clients/retry.json"))).RootElement;

    /// <summary>As the .NET client takes it, which does not read the file.</summary>
    public static ServiceConfig Config()
    {
        var service = new ServiceConfig();
        foreach (var config in File.GetProperty("methodConfig").EnumerateArray())
        {
            var retry = config.GetProperty("retryPolicy");
            var method = new MethodConfig
            {
                RetryPolicy = new RetryPolicy
                {
                    MaxAttempts = retry.GetProperty("maxAttempts").GetInt32(),
                    InitialBackoff = Seconds(retry.GetProperty("initialBackoff")),
                    MaxBackoff = Seconds(retry.GetProperty("maxBackoff")),
                    BackoffMultiplier = retry.GetProperty("backoffMultiplier").GetDouble(),
                    RetryableStatusCodes = { StatusCode.Unavailable },
                },
            };
            foreach (var name in config.GetProperty("name").EnumerateArray())
                method.Names.Add(new MethodName { Service = name.GetProperty("service").GetString(), Method = name.GetProperty("method").GetString() });
            service.MethodConfigs.Add(method);
        }

        return service;
    }

    private static TimeSpan Seconds(JsonElement duration) => TimeSpan.FromSeconds(double.Parse(duration.GetString()!.TrimEnd('s')));
}
