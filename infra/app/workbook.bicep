// The operators' page in the portal: what runs, what is stuck, what Microsoft throttles, what expires. To change it, edit it
// in the portal, copy its "Gallery Template" from the advanced editor into workbook.json, and run the tests.
param location string
param tags object
param workspaceId string

resource workbook 'Microsoft.Insights/workbooks@2023-06-01' = {
  // Azure wants a GUID.
  name: guid(workspaceId, 'operations')
  location: location
  tags: tags
  kind: 'shared'
  properties: {
    displayName: 'Muster'
    category: 'workbook'
    version: '1.0'
    sourceId: workspaceId
    serializedData: string(union(loadJsonContent('workbook.json'), {
      fallbackResourceIds: [
        workspaceId
      ]
    }))
  }
}

output id string = workbook.id
