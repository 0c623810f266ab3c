[assembly: AssemblyFixture(typeof(Mfa.EndToEnd.Postgres.PostgresCluster))]
