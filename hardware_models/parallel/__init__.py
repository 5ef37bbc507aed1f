"""What training costs on several chips: pipelines, meshes of processors, and the links between them."""
